import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { receipt, threadOf } from "../../testing/worlds/push/push-world.ts";
import { WaitingEvents } from "./waiting-events.ts";

const from = { thread: threadOf(1), userId: "ann", to: "bob" };

describe("Receipts of one user and thread that wait", () => {
  it("become one with the higher of each position, in whatever order servers tell them", () => {
    const receipts = [
      receipt({ ...from, readSeq: 15, deliveredSeq: 15 }),
      receipt({ ...from, readSeq: 5, deliveredSeq: 18 }),
      receipt({ ...from, readSeq: 7, deliveredSeq: 7 }),
    ];
    for (const [first = assert.fail(), ...later] of [receipts, [...receipts].reverse()]) {
      const waiting = new WaitingEvents();
      waiting.addEvent(first);
      let bytes = waiting.bytes;
      for (const one of later) {
        bytes += waiting.growth(one) ?? assert.fail();
        waiting.replace(one);
      }
      const [{ frame } = assert.fail(), ...others] = waiting.removeAll();
      assert.deepEqual([frame.length, others.length], [bytes, 0]);
      const [kind] = fromBinary(ServerFrameSchema, frame).events.map((event) => event.kind);
      assert.ok(kind?.case === "receipt");
      assert.deepEqual([kind.value.deliveredSeq, kind.value.readSeq], [18n, 15n]);
    }
  });
});
