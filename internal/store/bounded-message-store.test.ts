import assert from "node:assert/strict";
import { ErrorReason, type HeddleError } from "../base/heddle-error.ts";
import { Deadlines } from "../stream/deadlines.ts";
import { FakeClock } from "../testing/fakes/fake-clock.ts";
import { MemoryMessageStore } from "../testing/fakes/memory-message-store.ts";
import { boundedMessageStore } from "./bounded-message-store.ts";
import { messageStoreSuite } from "./message-store.suite.ts";
import type { MessageStore } from "./message-store.ts";

const row = { threadId: new Uint8Array(16), bucket: 0 };

describe("boundedMessageStore", () => {
  it("gives up on each call that is not answered in time, and not before", async () => {
    const clock = new FakeClock();
    const never = () => new Promise<never>(() => {});
    const hung: MessageStore = { checkAndPut: never, put: never, get: never };
    const store = boundedMessageStore(hung, new Deadlines(clock), 4_000);
    const outcomes: Error[] = [];
    const calls = [
      store.checkAndPut(row, undefined, new Uint8Array(32), []),
      store.put(row, "r", []),
      store.get(row, { head: true }),
    ];
    for (const call of calls) call.catch((error) => outcomes.push(error));
    clock.advance(3_900);
    await new Promise(setImmediate);
    assert.deepEqual(outcomes, []);
    clock.advance(400);
    await new Promise(setImmediate);
    assert.equal(outcomes.length, 3);
    const reasons = outcomes.map((error) => (error as HeddleError).reason);
    assert.deepEqual(reasons, Array(3).fill(ErrorReason.STORE_UNAVAILABLE));
  });
});

messageStoreSuite(
  "a bounded store",
  async () => ({
    store: boundedMessageStore(new MemoryMessageStore(), new Deadlines(new FakeClock()), 4_000),
    close: async () => {},
  }),
  { durable: false },
);
