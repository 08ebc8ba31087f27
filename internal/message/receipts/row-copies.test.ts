import assert from "node:assert/strict";
import { hex } from "../../base/ids.ts";
import { MemoryThreads } from "../../testing/fakes/message/message-ports.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import type { ReadPosition } from "../ports.ts";
import { RowCopies } from "./row-copies.ts";

describe("RowCopies", () => {
  it("copies within a minute, the highest position per owner and thread", async () => {
    const { clock, threads, note } = copies();
    note("ann", 1, 6);
    note("ann", 1, 5);
    note("ann", 2, 3);
    note("bob", 1, 4);
    clock.advance(59_999);
    assert.deepEqual(threads.raised, []);
    clock.advance(1);
    await quiet();
    assert.deepEqual(threads.raised.map(told).sort(), ["ann 1 6", "ann 2 3", "bob 1 4"]);
    note("ann", 1, 7);
    clock.advance(60_000);
    await quiet();
    assert.deepEqual(threads.raised.slice(3).map(told), ["ann 1 7"]);
    assert.equal(clock.waiting, 0);
  });

  it("copies one owner's at once when asked, and does not repeat them", async () => {
    const { clock, threads, note, rows } = copies();
    note("ann", 1, 5);
    note("bob", 1, 4);
    await rows.flush("ann");
    await rows.flush("ann");
    assert.deepEqual(threads.raised.map(told), ["ann 1 5"]);
    clock.advance(60_000);
    await quiet();
    assert.deepEqual(threads.raised.map(told), ["ann 1 5", "bob 1 4"]);
  });

  it("copies all at once for shutting down", async () => {
    const { threads, note, rows } = copies();
    note("ann", 1, 5);
    note("bob", 1, 4);
    await rows.flushAll();
    assert.deepEqual(threads.raised.map(told), ["ann 1 5", "bob 1 4"]);
  });

  it("copies at once beyond 20,000 that wait", async () => {
    const { threads, note } = copies();
    for (let thread = 0; thread < 20_000; thread++) note("ann", thread, 1);
    await quiet();
    assert.equal(threads.raised.length, 0);
    note("ann", 20_000, 1);
    await quiet();
    assert.equal(threads.raised.length, 20_001);
  });

  it("never rejects, and takes later positions, while the thread store is away", async () => {
    const { threads, note, rows } = copies();
    threads.onCall = () => Promise.reject(new Error("away"));
    note("ann", 1, 5);
    await rows.flush("ann");
    threads.onCall = undefined;
    note("ann", 1, 6);
    await rows.flush("ann");
    assert.deepEqual(threads.raised.map(told), ["ann 1 6"]);
  });
});

function copies() {
  const clock = new FakeClock();
  const threads = new MemoryThreads();
  const rows = new RowCopies(threads, clock);
  const note = (ownerId: string, thread: number, readSeq: number) => {
    const threadId = new Uint8Array(16);
    new DataView(threadId.buffer).setUint32(12, thread);
    rows.notePosition({ ownerId, threadId, readSeq, readOrdinal: readSeq }, hex(threadId));
  };
  return { clock, threads, rows, note };
}

function told({ ownerId, threadId, readSeq }: ReadPosition): string {
  return `${ownerId} ${new DataView(threadId.buffer).getUint32(12)} ${readSeq}`;
}
