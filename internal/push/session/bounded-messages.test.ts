import assert from "node:assert/strict";
import { Code, threadNotFound } from "../../base/heddle-error.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { FakeMessages } from "../../testing/worlds/push/push-world.ts";
import type { Messages } from "../ports.ts";
import { BoundedMessages } from "./bounded-messages.ts";

const RECEIPT = {
  userId: "bob",
  threadId: new Uint8Array(16),
  deliveredSeq: 1,
  readSeq: 0,
  originSession: "",
};

describe("BoundedMessages", () => {
  it("passes answers and errors on", async () => {
    const messages = new FakeMessages();
    const bounded = new BoundedMessages(messages, new Deadlines(new FakeClock()));
    await bounded.raiseReceipt(RECEIPT);
    await bounded.flushReceipts("bob");
    assert.deepEqual([messages.receipts, messages.flushed], [[RECEIPT], ["bob"]]);
    messages.receiptError = threadNotFound();
    await assert.rejects(bounded.raiseReceipt(RECEIPT), { code: Code.NOT_FOUND });
  });

  it("gives up on a call after 10 s, so that it holds up no session for ever", async () => {
    const clock = new FakeClock();
    const never = () => new Promise<void>(() => {});
    const silent: Messages = {
      send: () => {},
      raiseReceipt: never,
      flushReceipts: never,
      typing: never,
      membership: () => new Promise(() => {}),
    };
    const bounded = new BoundedMessages(silent, new Deadlines(clock));
    const answers = [
      bounded.raiseReceipt(RECEIPT),
      bounded.flushReceipts("bob"),
      bounded.typing(RECEIPT),
      bounded.membership(new Uint8Array(16), ["bob"]),
    ];
    clock.advance(10_250);
    for (const answer of answers) await assert.rejects(answer, { code: Code.DEADLINE_EXCEEDED });
  });
});
