import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError, invalidField } from "../../base/heddle-error.ts";
import { MAX_SEQ } from "../../base/ids.ts";
import { DrainingReason, type Event, ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { row } from "../../testing/worlds/push/push-world.ts";
import { acceptedFrame, threadChangedFrame } from "../../wire/event-frames.ts";
import { ANSWER_BYTES, ANSWERS, BEHIND_BYTES } from "../limits.ts";
import {
  BEHIND_ALL_FRAME,
  behindFrame,
  caughtUpFrame,
  drainingFrame,
  openedFrame,
  PONG_FRAME,
  refusedFrame,
} from "./events.ts";

const id = new Uint8Array(16).fill(0xab);

function only(frame: Uint8Array): Event["kind"] {
  const { events } = fromBinary(ServerFrameSchema, frame);
  assert.equal(events.length, 1);
  return events[0]?.kind ?? { case: undefined };
}

describe("Events of the push server", () => {
  it("encode accepted small enough for the room of answers", () => {
    const seq = MAX_SEQ;
    const told = {
      threadId: id,
      clientId: id,
      seq,
      createdAtMs: 8.64e15,
      duplicate: true,
      recipientOffline: false,
    };
    const { length } = acceptedFrame(told);
    assert.ok(length * ANSWERS <= ANSWER_BYTES, `${length}`);
  });

  it("encode behind within what the queue counts for it", () => {
    const frame = behindFrame("ff".repeat(16), MAX_SEQ, MAX_SEQ);
    assert.ok(frame.length <= BEHIND_BYTES, `${frame.length}`);
    const kind = only(frame);
    assert.ok(kind.case === "behind");
    assert.deepEqual(Buffer.from(kind.value.threadId), Buffer.alloc(16, 0xff));
    assert.deepEqual([kind.value.head?.seq, kind.value.head?.ordinal], [BigInt(MAX_SEQ), BigInt(MAX_SEQ)]);
  });

  it("say what a refusal is, with its ErrorInfo, and cut its sentence", () => {
    const metadata = { committed: "never", queue: "thread" };
    const error = new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "😀".repeat(500), {
      metadata,
      retryAfterMs: 250,
    });
    const frame = refusedFrame({ clientId: id, threadId: id, frame: 7 }, error);
    const kind = only(frame);
    assert.ok(kind.case === "refused");
    assert.deepEqual([kind.value.code, kind.value.retryAfterMs], [Code.RESOURCE_EXHAUSTED, 250]);
    assert.equal(kind.value.frame, 7n);
    assert.deepEqual({ ...kind.value.errorInfo?.metadata }, metadata);
    assert.deepEqual([kind.value.errorInfo?.domain, kind.value.errorInfo?.reason], ["heddle", "OVERLOADED"]);
    assert.ok(frame.length < 600, `${frame.length}`);
    assert.equal(
      only(refusedFrame({ clientId: id, threadId: id, frame: 7 }, invalidField("f", "r"))).case,
      "refused",
    );
  });

  it("are one event a frame, so that joined frames append", () => {
    const frames = [
      openedFrame(id, "ann", 15_000),
      threadChangedFrame(row(1, 5)),
      caughtUpFrame(Uint8Array.of(1)),
      BEHIND_ALL_FRAME,
      drainingFrame(DrainingReason.SHUTDOWN, 1_000, 500),
      PONG_FRAME,
    ];
    const kinds = ["opened", "threadChanged", "caughtUp", "behindAll", "draining", "pong"];
    assert.deepEqual(
      frames.map((frame) => only(frame).case),
      kinds,
    );
    const joined = fromBinary(ServerFrameSchema, Buffer.concat(frames));
    assert.deepEqual(
      joined.events.map(({ kind }) => kind.case),
      kinds,
    );
  });

  it("give a changed row with its head beside it", () => {
    const kind = only(threadChangedFrame(row(1, 5)));
    assert.ok(kind.case === "threadChanged");
    assert.deepEqual([kind.value.head?.seq, kind.value.thread?.participants], [5n, ["ann", "bob"]]);
    assert.deepEqual(kind.value.threadId, kind.value.thread?.threadId);
  });
});
