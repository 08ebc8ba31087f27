import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  compressionAlgorithms,
  credentials,
  type StatusObject,
} from "@grpc/grpc-js";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { type ServerFrame, ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { PushService, SubscribeRequestSchema } from "../../gen/heddle/push/v1/push_service_pb.js";
import {
  callerNamed,
  type RpcListeners,
  startRpcListeners,
} from "../../testing/fakes/streams/rpc-listeners.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import type { ByteStream } from "./byte-stream.ts";
import { LINGER_MS } from "./call-deadline.ts";
import { bind } from "./handlers.ts";

const plain = (bytes: Buffer) => bytes;
const tooSlow = () => new HeddleError(Code.UNAVAILABLE, ErrorReason.CLIENT_TOO_SLOW, "too slow");

/** A frame whose text names `what`, of about `bytes` bytes. */
function frame(what: string, bytes = 0): Uint8Array {
  const userId = what.padEnd(bytes, ".");
  const events = [{ kind: { case: "opened" as const, value: { userId } } }];
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, { events }));
}

function named(decoded: ServerFrame): string[] {
  return decoded.events.map(({ kind }) =>
    kind.case === "opened" ? kind.value.userId.replace(/\.+$/, "") : "?",
  );
}

describe("Byte streams", () => {
  let clock: FakeClock;
  let listeners: RpcListeners;
  let grpc: Client;
  /** Called with each stream that a client opens. */
  let opened: (stream: ByteStream) => void;

  /** Opens a stream by `open` and resolves to the server's end of it. */
  const serverSide = (open: () => void): Promise<ByteStream> =>
    new Promise((resolve) => {
      opened = resolve;
      open();
    });

  beforeEach(async () => {
    clock = new FakeClock();
    opened = () => {};
    const push = bind(PushService, async () => callerNamed("ann"), {
      connect: (stream) => opened(stream),
      subscribe: (_, stream) => opened(stream),
      submit: async () => ({}),
    });
    listeners = await startRpcListeners([push], { clock });
    grpc = new Client(listeners.grpc, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  });
  afterEach(async () => {
    grpc.close();
    await listeners.close();
  });

  const connect = (): ClientDuplexStream<Buffer, Buffer> => {
    const call = grpc.makeBidiStreamRequest<Buffer, Buffer>(`/${PushService.typeName}/Connect`, plain, plain);
    call.on("error", () => {});
    return call;
  };

  describe("on Connect", () => {
    let call: ClientDuplexStream<Buffer, Buffer>;
    let stream: ByteStream;
    beforeEach(async () => {
      stream = await serverSide(() => {
        call = connect();
      });
    });
    afterEach(() => call.cancel());

    it("carry messages both ways, unchanged and in order", async () => {
      stream.onMessage((bytes) => stream.write(bytes));
      const sent = Array.from({ length: 200 }, (_, at) => frame(`m${at}`, at));
      const got: Buffer[] = [];
      const all = new Promise<void>((resolve) => {
        call.on("data", (bytes: Buffer) => got.push(bytes) === sent.length && resolve());
      });
      for (const bytes of sent) call.write(Buffer.from(bytes));
      await all;
      assert.deepEqual(
        got.map((bytes) => bytes.toString("hex")),
        sent.map((bytes) => Buffer.from(bytes).toString("hex")),
      );
    });

    it("carry compressed messages too", async () => {
      const zipping = new Client(listeners.grpc, credentials.createInsecure(), {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
      });
      let zipped: ClientDuplexStream<Buffer, Buffer> | undefined;
      const server = await serverSide(() => {
        zipped = zipping.makeBidiStreamRequest(`/${PushService.typeName}/Connect`, plain, plain);
        zipped.on("error", () => {});
      });
      const sent = Buffer.from(frame("zipped", 1_000));
      const got = new Promise<Uint8Array>((resolve) => server.onMessage(resolve));
      zipped?.write(sent);
      assert.equal(Buffer.from(await got).toString("hex"), sent.toString("hex"));
      zipped?.cancel();
      zipping.close();
    });

    it("leave unread what a paused reader does not want", async () => {
      const seen: number[] = [];
      let wantsAll = false;
      let first = () => {};
      const arrived = new Promise<void>((resolve) => {
        first = resolve;
      });
      stream.onMessage((bytes) => {
        seen.push(bytes.length);
        if (!wantsAll) stream.pause();
        first();
      });
      const last = new Promise<void>((resolve) => call.once("finish", resolve));
      for (let at = 0; at < 3; at++) call.write(Buffer.from(frame("x")));
      call.end();
      await Promise.all([arrived, last]);
      await echoOfPing(grpc);
      assert.equal(seen.length, 1);
      const done = new Promise<void>((resolve) => stream.onHalfClose(resolve));
      wantsAll = true;
      stream.resume();
      await done;
      assert.equal(seen.length, 3);
    });

    it("end with a status behind everything that was written", async () => {
      const got: string[] = [];
      call.on("data", (bytes: Buffer) => got.push(...named(fromBinary(ServerFrameSchema, bytes))));
      const status = statusOf(call);
      stream.write(frame("one"));
      stream.write(frame("two"));
      stream.end(tooSlow());
      stream.write(frame("three"));
      const { code, metadata } = await status;
      assert.deepEqual(got, ["one", "two"]);
      assert.equal(code, Code.UNAVAILABLE);
      assert.equal(metadata.get("grpc-status-details-bin").length, 1);
    });

    it("say once that they are over, however they end", async () => {
      let closed = 0;
      const over = new Promise<void>((resolve) => {
        stream.onClose(() => {
          closed++;
          resolve();
        });
      });
      call.cancel();
      await over;
      stream.end();
      assert.equal(stream.write(frame("late")), true);
      assert.equal(stream.bufferedBytes, 0);
      assert.equal(closed, 1);
      assert.match(await listeners.metrics.metrics(), /heddle_rpc_streams\{[^}]*Connect[^}]*\} 0/);
    });

    it("hold the writer when the client does not read, count what waits, and say when it has gone", async () => {
      await stopReading(call, stream);
      let written = 0;
      while (stream.write(frame("x", 8_000))) {
        written++;
        await new Promise(setImmediate);
      }
      assert.ok(written > 5, "a client's window takes some");
      const waiting = stream.bufferedBytes;
      assert.ok(waiting > 16_384 && waiting <= 32_768, String(waiting));
      const drained = new Promise<void>((resolve) => stream.onDrain(resolve));
      call.resume();
      await drained;
      assert.equal(stream.bufferedBytes, 0);
    });

    it("are reset when the client never takes the status", async () => {
      await stopReading(call, stream);
      while (stream.write(frame("x", 8_000))) await new Promise(setImmediate);
      const over = new Promise<void>((resolve) => stream.onClose(resolve));
      stream.end(tooSlow());
      clock.advance(LINGER_MS);
      await over;
    });

    it("refuse a message above 128 KiB and read no more", async () => {
      stream.onMessage(() => assert.fail("it came through"));
      const status = statusOf(call);
      call.resume();
      call.write(Buffer.alloc(140_000));
      const { code, metadata } = await status;
      assert.equal(code, Code.RESOURCE_EXHAUSTED);
      assert.match(String(metadata.get("grpc-status-details-bin")[0]), /FRAME_TOO_LARGE/);
    });
  });

  it("that a handler fails on end as a fault", async () => {
    opened = () => {
      throw new Error("broken handler");
    };
    const call = connect();
    call.resume();
    const { code } = await statusOf(call);
    assert.equal(code, Code.INTERNAL);
  });

  describe("on Subscribe over gRPC", () => {
    const subscribe = (request: { deviceId: string }): ClientReadableStream<Buffer> => {
      const bytes = toBinary(SubscribeRequestSchema, create(SubscribeRequestSchema, request));
      const path = `/${PushService.typeName}/Subscribe`;
      const call = grpc.makeServerStreamRequest<Buffer, Buffer>(path, plain, plain, Buffer.from(bytes));
      call.on("error", () => {});
      return call;
    };

    it("carry what is written, then the status", async () => {
      let call: ClientReadableStream<Buffer> | undefined;
      const stream = await serverSide(() => {
        call = subscribe({ deviceId: "phone" });
      });
      assert.ok(call);
      stream.write(frame("one"));
      stream.end();
      const [bytes] = (await once(call, "data")) as [Buffer];
      assert.deepEqual(named(fromBinary(ServerFrameSchema, bytes)), ["one"]);
      const { code } = await statusOf(call);
      assert.equal(code, Code.OK);
    });

    it("begin only when the request keeps the rules", async () => {
      opened = () => assert.fail("the handler was asked");
      const call = subscribe({ deviceId: "PH ONE" });
      call.resume();
      const { code } = await statusOf(call);
      assert.equal(code, Code.INVALID_ARGUMENT);
    });
  });

  describe("on Subscribe over Connect", () => {
    const path = `/${PushService.typeName}/Subscribe`;

    /** The response of a Subscribe, unread. */
    const subscribe = async (type: string): Promise<IncomingMessage> => {
      const json = type.includes("json");
      const message = json
        ? Buffer.from('{"deviceId":"phone"}')
        : Buffer.from(
            toBinary(SubscribeRequestSchema, create(SubscribeRequestSchema, { deviceId: "phone" })),
          );
      const body = Buffer.concat([Buffer.alloc(5), message]);
      body.writeUInt32BE(message.length, 1);
      const call = httpRequest(`${listeners.web}${path}`, {
        method: "POST",
        headers: { "content-type": type },
      });
      call.on("error", () => {});
      call.end(body);
      const [response] = (await once(call, "response")) as [IncomingMessage];
      response.on("error", () => {});
      return response;
    };

    for (const type of [
      "application/connect+proto",
      "application/connect+json",
      "application/grpc-web+proto",
    ]) {
      it(`carry what is written, then the error, as ${type}`, async () => {
        opened = (stream) => {
          stream.write(frame("one"));
          stream.write(frame("two"));
          stream.end(tooSlow());
        };
        const parts = envelopes(await bodyOf(await subscribe(type)));
        const texts = parts.slice(0, -1).map((part) => part.toString());
        assert.equal(texts.length, 2);
        assert.match(texts[0] ?? "", /one/);
        assert.match(texts[1] ?? "", /two/);
        if (type.includes("proto")) assert.deepEqual(parts[0], Buffer.from(frame("one")));
        assert.match(parts.at(-1)?.toString() ?? "", /CLIENT_TOO_SLOW|grpc-status: ?14/);
      });
    }

    it("hold the writer when the client does not read, and cut it off in the end", async () => {
      let stream: ByteStream | undefined;
      opened = (one) => {
        stream = one;
        one.write(frame("first"));
      };
      const response = await subscribe("application/connect+proto");
      response.pause();
      assert.ok(stream);
      const held = stream;
      // What the machine's sockets take is not ours to count.
      while (held.write(frame("x", 60_000))) await new Promise(setImmediate);
      await new Promise(setImmediate);
      for (let turn = 0; turn < 2_000 && held.bufferedBytes < 60_000; turn++) {
        held.write(frame("x", 60_000));
        await new Promise(setImmediate);
      }
      assert.ok(held.bufferedBytes >= 60_000, String(held.bufferedBytes));
      const over = new Promise<void>((resolve) => held.onClose(resolve));
      held.end(tooSlow());
      clock.advance(LINGER_MS);
      await over;
      assert.equal(held.bufferedBytes, 0);
      response.destroy();
    });

    it("say that the client has gone", async () => {
      let over: Promise<void> | undefined;
      opened = (stream) => {
        over = new Promise((resolve) => stream.onClose(resolve));
        stream.write(frame("first"));
      };
      const response = await subscribe("application/connect+proto");
      response.destroy();
      await over;
    });
  });
});

/** `once` would reject at the "error" that grpc-js emits beside every status but OK. */
function statusOf(
  call: ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>,
): Promise<StatusObject> {
  return new Promise((resolve) => call.once("status", resolve));
}

/** A first message is read, then nothing more: before the first read grpc-js's client takes all that comes. */
async function stopReading(call: ClientDuplexStream<Buffer, Buffer>, stream: ByteStream): Promise<void> {
  stream.write(frame("first"));
  await new Promise<void>((resolve) => {
    call.once("data", () => {
      call.pause();
      resolve();
    });
  });
}

/** Something else on the same connection has gone to the server and back: what was sent before has arrived. */
async function echoOfPing(client: Client): Promise<void> {
  await new Promise<void>((resolve) => {
    client.makeUnaryRequest("/none/None", plain, plain, Buffer.alloc(0), () => resolve());
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function envelopes(body: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 1);
    parts.push(body.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return parts;
}
