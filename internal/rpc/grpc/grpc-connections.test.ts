import assert from "node:assert/strict";
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { PushService } from "../../gen/heddle/push/v1/push_service_pb.js";
import { callerNamed } from "../../testing/fakes/streams/rpc-listeners.ts";
import type { ByteStream } from "../calls/byte-stream.ts";
import { bind } from "../calls/handlers.ts";
import { parseListenAddress } from "../listen-address.ts";
import { createRpcMetrics } from "../metrics.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";

const KEEPALIVE_MS = 20;

describe("Connections of a gRPC server that drains", () => {
  let server: GrpcServer;
  let client: Client;
  let call: ClientDuplexStream<Buffer, Buffer>;
  let status: Promise<StatusObject>;
  let stream: ByteStream;

  beforeEach(async () => {
    const context = {
      clock: systemClock,
      log: createLog({ level: "silent" }),
      metrics: createRpcMetrics(createMetrics({ process: false })),
    };
    const { promise, resolve } = Promise.withResolvers<ByteStream>();
    const push = bind(PushService, async () => callerNamed("ann"), {
      connect: resolve,
      subscribe: () => {},
      submit: async () => ({}),
    });
    server = createGrpcServer({ services: [push], context, keepaliveMs: KEEPALIVE_MS });
    const port = await server.listen(parseListenAddress("127.0.0.1:0") ?? assert.fail());
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
    });
    const plain = (bytes: Buffer) => bytes;
    call = client.makeBidiStreamRequest(`/${PushService.typeName}/Connect`, plain, plain);
    call.on("error", () => {}); // The status says it.
    status = new Promise((resolve) => call.on("status", resolve));
    stream = await promise;
  });
  afterEach(() => {
    client.close();
    server.close();
  });

  it("carry their streams to the end, through keepalive pings", async () => {
    const drained = server.drain();
    const wroteMs = performance.now();
    let got = 0;
    call.on("data", () => {
      got++;
      // Message after message, until several pings have been due.
      if (performance.now() - wroteMs < 5 * KEEPALIVE_MS) setTimeout(() => stream.write(Buffer.of(1)), 1);
      else stream.end();
    });
    stream.write(Buffer.of(1));
    assert.equal((await status).code, 0);
    assert.ok(got > 5);
    call.end();
    client.close();
    await drained;
  });

  it("end when they are told to, whatever is still open on them", async () => {
    const drained = server.drain();
    server.close();
    assert.notEqual((await status).code, 0);
    await drained;
  });
});
