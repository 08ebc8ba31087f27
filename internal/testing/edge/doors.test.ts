import assert from "node:assert/strict";
import { request as httpsRequest } from "node:https";
import { createClient } from "@connectrpc/connect";
import { fromConnectError } from "../../../client/web/errors.ts";
import { Code, ErrorReason, type HeddleError } from "../../base/heddle-error.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.js";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageInternalService } from "../../gen/heddle/message/v1/message_internal_service_pb.js";
import { PresenceService } from "../../gen/heddle/presence/v1/presence_service_pb.js";
import { EdgeClient, PROTOCOLS, type Protocol } from "./edge-client.ts";
import { EdgeWorld } from "./edge-world.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

describe("The edge", function () {
  this.timeout(120_000);
  let world: EdgeWorld;
  const clients: EdgeClient[] = [];

  before(async () => {
    world = await EdgeWorld.start();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => world?.close());

  const client = (protocol: Protocol, headers: Record<string, string> = {}, from?: string) => {
    const made = new EdgeClient(world, protocol, headers, from);
    clients.push(made);
    return made;
  };
  const openSession = (from: EdgeClient, deviceId = "phone") =>
    createClient(GatewayService, from.transport).openSession({ deviceId });
  const failure = (call: Promise<unknown>): Promise<HeddleError> =>
    call.then(() => assert.fail("it was answered"), fromConnectError);

  /** A plain request, as a browser makes it, over HTTP/1.1. */
  const ask = (method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const asked = httpsRequest(`${world.url}${path}`, { method, headers, ca: world.ca }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: `${Buffer.concat(chunks)}`,
          }),
        );
      });
      asked.on("error", reject).end();
    });

  for (const protocol of PROTOCOLS) {
    it(`brings the details of errors to clients by ${protocol}, and repeats no call by itself`, async () => {
      const asksForRetries = {
        "x-envoy-retry-on": "5xx,retriable-status-codes,cancelled,unavailable",
        "x-envoy-retry-grpc-on": "unavailable",
        "x-envoy-max-retries": "3",
      };
      const before = world.gateway.sources.length;
      const error = await failure(openSession(client(protocol, asksForRetries), "unlucky"));
      assert.equal(error.code, Code.UNAVAILABLE);
      assert.equal(error.reason, ErrorReason.STORE_UNAVAILABLE);
      assert.deepEqual(error.metadata, { store: "registry" });
      assert.equal(world.gateway.sources.length, before + 1);
    });

    it(`shows a call by ${protocol} the address of its client, whatever that says`, async () => {
      const forged = { "x-forwarded-for": "203.0.113.9", "x-envoy-external-address": "203.0.113.9" };
      await openSession(client(protocol, forged, "127.0.0.2"));
      assert.equal(world.gateway.sources.at(-1), "127.0.0.2");
    });

    it(`has no service between programs, and no health, by ${protocol}`, async () => {
      const { transport } = client(protocol);
      for (const service of [MessageInternalService, Health]) {
        const [method] = service.methods;
        assert.ok(method);
        const call = transport.stream(
          method as never,
          undefined,
          5_000,
          undefined,
          (async function* () {})() as never,
        );
        const error = await failure(call.then(async ({ message }) => message[Symbol.asyncIterator]().next()));
        assert.equal(error.code, Code.UNIMPLEMENTED, service.typeName);
      }
    });

    it(`says UNAVAILABLE where no instance of a service is there, by ${protocol}`, async () => {
      const call = createClient(PresenceService, client(protocol).transport).listPresence({
        userIds: ["bob"],
      });
      assert.equal((await failure(call)).code, Code.UNAVAILABLE);
    });
  }

  it("lets no header of a client set a call's time", async () => {
    await openSession(
      client("grpc", { "x-envoy-upstream-rq-timeout-ms": "0", "x-envoy-expected-rq-timeout-ms": "1" }),
    );
  });

  it("reaches no program whose certificate names another service", async () => {
    const wrong = await world.serve("thread", "thread-1", [world.gateway.binding], "message");
    const before = world.gateway.sources.length;
    const caller = client("grpc");
    const path = "/heddle.thread.v1.ThreadService/Sync";
    const asked = await ask("POST", path, { "content-type": "application/json" });
    assert.equal(asked.status, 503);
    assert.equal(wrong.web.connections, 0);
    await openSession(caller);
    assert.equal(world.gateway.sources.length, before + 1);
  });

  it("hands everything that is no service to the gateway's web port", async () => {
    const page = await ask("GET", "/t/anything");
    assert.deepEqual([page.status, page.body], [404, "not found\n"]);
    const keys = await ask("GET", "/.well-known/ticket-keys.json");
    assert.equal(keys.status, 200);
  });

  it("answers preflights of the origins that may call, and of no others", async () => {
    const asks = (origin: string) =>
      ask("OPTIONS", "/heddle.push.v1.PushService/Submit", {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-grpc-web",
      });
    const own = await asks("http://localhost:5173");
    assert.equal(own.status, 200);
    assert.equal(own.headers["access-control-allow-origin"], "http://localhost:5173");
    assert.match(String(own.headers["access-control-allow-headers"]), /Authorization/);
    const other = await asks("http://localhost.example");
    assert.equal(other.headers["access-control-allow-origin"], undefined);
  });
});
