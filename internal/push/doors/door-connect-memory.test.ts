import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ClientFrame, ClientFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { PushWorld } from "../../testing/worlds/push/push-world.ts";
import { IN_FLIGHT, IN_FLIGHT_BYTES } from "../limits.ts";

const ID = new Uint8Array(16).fill(7);
const CURSOR = new Uint8Array(20).fill(3);

describe("What a session keeps of a frame", () => {
  it("is its own, and holds on to no socket buffer: a send without an outcome", async () => {
    const world = new PushWorld();
    const bob = await world.live("bob", 1);
    const text = { kind: { case: "text" as const, value: { text: "hi" } } };
    const target = { case: "threadId" as const, value: ID };
    const plain = frame({ case: "send", value: { target, clientId: ID, attempt: 1, body: text } });
    bob.sayBytes(chunked(plain));
    // The same, with an empty field that no plain frame has: the general decoder reads it.
    bob.sayBytes(
      chunked(Uint8Array.of(...plain.subarray(0, 1), (plain[1] ?? 0) + 2, ...plain.subarray(2), 32, 0)),
    );
    assert.equal(world.messages.sends.length, 2);
    for (const { send } of world.messages.sends) {
      const body = send.body instanceof Uint8Array ? send.body : ID;
      for (const kept of [send.threadId ?? assert.fail(), send.clientId, body])
        assert.ok(kept.buffer.byteLength < 1_024, `${kept.buffer.byteLength} bytes are held`);
    }
  });

  it("is shared with a buffer so small that all in flight may hold one each: a copy would cost more", async () => {
    const world = new PushWorld();
    const bob = await world.live("bob", 1);
    const text = { kind: { case: "text" as const, value: { text: "hi" } } };
    const target = { case: "threadId" as const, value: ID };
    const chunk = chunked(
      frame({ case: "send", value: { target, clientId: ID, attempt: 1, body: text } }),
      IN_FLIGHT_BYTES / IN_FLIGHT,
    );
    bob.sayBytes(chunk);
    assert.equal(world.messages.sends[0]?.send.clientId.buffer, chunk.buffer);
  });

  it("is its own: the cursor of `open`", async () => {
    const world = new PushWorld();
    const bob = world.stream("bob", 1);
    bob.sayBytes(chunked(frame({ case: "open", value: { deviceId: "phone", cursor: CURSOR } })));
    await world.loop.settle();
    const [kept = assert.fail("no sync")] = world.threads.cursors;
    assert.deepEqual(Buffer.from(kept), Buffer.from(CURSOR));
    assert.ok(kept.buffer.byteLength < 1_024, `${kept.buffer.byteLength} bytes are held`);
  });
});

function frame(kind: object): Uint8Array {
  return toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as unknown as ClientFrame));
}

/** The bytes of a frame as they come from a socket that had more to say: in a buffer of 64 KiB, or so many bytes. */
function chunked(bytes: Uint8Array, size = 64 * 1024): Uint8Array {
  const chunk = new Uint8Array(size);
  chunk.set(bytes, 5);
  return chunk.subarray(5, 5 + bytes.length);
}
