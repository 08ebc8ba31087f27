import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { ClientFrameSchema } from "../../../../internal/gen/heddle/push/v1/frame_pb.js";
import { ackFrame, clientFrame, sendFrame, sendTail } from "./client-frames.ts";
import { MessageSplitter, PREFIX_BYTES } from "./grpc-framing.ts";

/** A frame as a server reads it. */
function decoded(frame: Buffer) {
  const messages: Buffer[] = [];
  new MessageSplitter((bytes) => messages.push(bytes)).push(frame);
  assert.equal(messages.length, 1);
  assert.equal(messages[0]?.length, frame.length - PREFIX_BYTES);
  return fromBinary(ClientFrameSchema, messages[0] as Buffer).kind;
}

describe("Client frames written by hand", () => {
  const threadId = new Uint8Array(16).fill(7);
  const clientId = Uint8Array.from({ length: 16 }, (_, at) => at);

  for (const baseSeq of [0, 1, 127, 128, 300_000, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    for (const length of [1, 100, 127, 128, 8_000]) {
      it(`say what the schema says: a send at base_seq ${baseSeq} with ${length} bytes of text`, () => {
        const kind = decoded(sendFrame(threadId, clientId, baseSeq, sendTail("x".repeat(length))));
        assert.ok(kind.case === "send" && kind.value.target.case === "threadId");
        assert.deepEqual(Uint8Array.from(kind.value.target.value), threadId);
        assert.deepEqual(Uint8Array.from(kind.value.clientId), clientId);
        assert.equal(kind.value.baseSeq, BigInt(baseSeq));
        assert.equal(kind.value.attempt, 1);
        const body = kind.value.body?.kind;
        assert.ok(body?.case === "text" && body.value.text === "x".repeat(length));
      });
    }
  }

  for (const upTo of [1, 127, 128, 20_000, 2 ** 40]) {
    it(`say what the schema says: an ack up to ${upTo}`, () => {
      const kind = decoded(ackFrame(upTo));
      assert.ok(kind.case === "ack" && kind.value.upTo === BigInt(upTo));
    });
  }

  it("leave what is said seldom to the schema", () => {
    const kind = decoded(clientFrame({ case: "open", value: { deviceId: "bench" } as never }));
    assert.ok(kind.case === "open" && kind.value.deviceId === "bench");
  });
});
