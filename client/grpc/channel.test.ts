import assert from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, type HeddleError } from "../../internal/base/heddle-error.ts";
import { Authority } from "../../internal/engines/certificates/authority.ts";
import { GatewayService } from "../../internal/gen/heddle/gateway/v1/gateway_service_pb.js";
import { grpcTransport } from "./transport.ts";

describe("A gRPC connection by TLS", () => {
  let authority: Authority;
  let server: Http2SecureServer;
  let port: number;

  before(async () => {
    authority = await Authority.make(Date.now());
    const { certificate, key } = await authority.issueEdge(Date.now());
    server = createSecureServer({ cert: certificate, key });
    server.on("session", (session) => session.on("error", () => {}));
    server.on("stream", answerEmpty);
    server.listen(0, "0.0.0.0");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  after(() => server.close());

  const call = async (host: string, ca = Buffer.from(authority.certificate)) => {
    const transport = grpcTransport({ url: `https://${host}:${port}`, ca });
    const options = { token: "", timeoutMs: 10_000, signal: undefined };
    try {
      return await transport.call(GatewayService.method.openSession, { deviceId: "phone" }, options);
    } finally {
      transport.close();
    }
  };
  const refused = (error: HeddleError) => error.code === Code.UNAVAILABLE;

  it("goes to a name and to an address that the certificate has", async () => {
    assert.equal((await call("localhost")).ticket, "");
    assert.equal((await call("127.0.0.1")).ticket, "");
  });

  it("takes no certificate for another address, and none by another authority", async () => {
    await assert.rejects(call("127.0.0.2"), refused);
    const other = await Authority.make(Date.now());
    await assert.rejects(call("127.0.0.1", Buffer.from(other.certificate)), refused);
  });
});

/** An empty message, and OK. */
function answerEmpty(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.alloc(5));
}
