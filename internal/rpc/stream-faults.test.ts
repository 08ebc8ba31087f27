import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import { Code } from "../base/heddle-error.ts";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { PushService, SubscribeRequestSchema } from "../gen/heddle/push/v1/push_service_pb.js";
import { callerNamed, type RpcListeners, startRpcListeners } from "../testing/fakes/streams/rpc-listeners.ts";
import type { ByteStream } from "./calls/byte-stream.ts";
import { bind } from "./calls/handlers.ts";

const plain = (bytes: Buffer) => bytes;

/** What nobody catches would end the process, as it ends the test run here. */
describe("What a handler throws", () => {
  let listeners: RpcListeners;
  let grpc: Client;
  let opened: (stream: ByteStream) => void;
  let submit: () => Promise<object>;

  beforeEach(async () => {
    const push = bind(PushService, async () => callerNamed("ann"), {
      connect: (stream) => opened(stream),
      subscribe: (_, stream) => opened(stream),
      submit: () => submit(),
    });
    listeners = await startRpcListeners([push]);
    grpc = new Client(listeners.grpc, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  });
  afterEach(async () => {
    grpc.close();
    await listeners.close();
  });

  const broken = (): never => {
    throw new Error("broken handler");
  };

  const connect = (): ClientDuplexStream<Buffer, Buffer> => {
    const call = grpc.makeBidiStreamRequest<Buffer, Buffer>(`/${PushService.typeName}/Connect`, plain, plain);
    call.on("error", () => {});
    call.resume();
    return call;
  };

  /** The stream ended as INTERNAL / FAULT, with a request id that the log has too. */
  function assertFault({ code, metadata }: StatusObject): void {
    assert.equal(code, Code.INTERNAL);
    const details = String(metadata.get("grpc-status-details-bin")[0]);
    assert.match(details, /FAULT/);
    const [id = ""] = /[0-9a-f]{16}/.exec(details) ?? [];
    assert.ok(listeners.logged.some((line) => line.includes(id) && line.includes("broken handler")));
  }

  const status = (call: { once(event: "status", on: (status: StatusObject) => void): unknown }) =>
    new Promise<StatusObject>((resolve) => call.once("status", resolve));

  it("when the client says something ends its stream alone", async () => {
    let other: ByteStream | undefined;
    opened = (stream) => {
      other = stream;
    };
    const bystander = connect();
    await new Promise((resolve) => bystander.once("metadata", resolve));
    opened = (stream) => stream.onMessage(broken);
    const call = connect();
    call.write(Buffer.from("x"));
    assertFault(await status(call));
    const reaches = new Promise((resolve) => bystander.once("data", resolve));
    other?.write(new Uint8Array([1]));
    await reaches;
    bystander.cancel();
  });

  it("when the client has said everything ends its stream", async () => {
    opened = (stream) => {
      stream.onMessage(() => {});
      stream.onHalfClose(broken);
    };
    const call = connect();
    call.end();
    assertFault(await status(call));
  });

  it("in a later turn ends its stream, if the handler hands it over", async () => {
    opened = (stream) => {
      setImmediate(() => {
        try {
          broken();
        } catch (error) {
          stream.fail(error);
        }
      });
    };
    assertFault(await status(connect()));
  });

  it("when its stream is over is logged", async () => {
    let over = () => {};
    const isOver = new Promise<void>((resolve) => {
      over = resolve;
    });
    opened = (stream) => {
      stream.onClose(broken);
      stream.onClose(over);
    };
    const call = connect();
    await new Promise((resolve) => call.once("metadata", resolve));
    call.cancel();
    await isOver;
    assert.ok(listeners.logged.some((line) => line.includes("broken handler")));
  });

  it("when a browser's stream is over, or has drained, is logged", async () => {
    let over = () => {};
    const isOver = new Promise<void>((resolve) => {
      over = resolve;
    });
    opened = (stream) => {
      stream.onDrain(broken);
      stream.onClose(over);
      while (stream.write(frame(60_000)));
    };
    const body = Buffer.concat([Buffer.alloc(5), subscribeBytes()]);
    body.writeUInt32BE(body.length - 5, 1);
    const response = await fetch(`${listeners.web}/${PushService.typeName}/Subscribe`, {
      method: "POST",
      headers: { "content-type": "application/connect+proto" },
      body,
    });
    assert.match(await response.text(), /FAULT/);
    await isOver;
    assert.ok(listeners.logged.some((line) => line.includes("broken handler")));
  });

  it("by an answer that cannot be encoded is INTERNAL", async () => {
    submit = async () => ({
      outcomes: [{ kind: { case: "accepted", value: { createdAtMs: "no number" } } }],
    });
    const call = grpc.makeUnaryRequest(
      `/${PushService.typeName}/Submit`,
      plain,
      plain,
      Buffer.from([10, 2, 42, 0]),
      () => {},
    );
    const { code } = await status(call);
    assert.equal(code, Code.INTERNAL);
  });
});

function frame(bytes: number): Uint8Array {
  const events = [{ kind: { case: "opened" as const, value: { userId: ".".repeat(bytes) } } }];
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, { events }));
}

function subscribeBytes(): Uint8Array {
  return toBinary(SubscribeRequestSchema, create(SubscribeRequestSchema, { deviceId: "phone" }));
}
