import assert from "node:assert/strict";
import { ErrorReason, type HeddleError } from "../../base/heddle-error.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { HookedStore } from "../../testing/fakes/message/message-ports.ts";
import { logStoreOf, patience, storeLog } from "../../testing/fakes/message/message-samples.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { readPage } from "../history.ts";
import { StoreSearch } from "../log/duplicate-search.ts";
import type { EntryCellPut, MessageStore } from "../ports.ts";
import { LogStore } from "./log-store.ts";

const threadId = new Uint8Array(16);

describe("LogStore", () => {
  it("gives up on each call that is not answered in time, and not before", async () => {
    const clock = new FakeClock();
    const never = () => new Promise<never>(() => {});
    const hung: MessageStore = { checkAndPut: never, put: never, get: never };
    const store = new LogStore(hung, 4, new Deadlines(clock), 4_000);
    const outcomes: Error[] = [];
    const calls = [
      store.head(threadId, 0),
      store.entries(threadId, 1, 9),
      store.keys(threadId, 1, 4),
      store.cell(threadId, 1),
      store.append(threadId, 0, undefined, new Uint8Array(32), []),
      store.receipts(threadId),
      store.putReceipts(threadId, []),
      store.within(never()),
    ];
    for (const call of calls) call.catch((error) => outcomes.push(error));
    clock.advance(3_900);
    await quiet();
    assert.deepEqual(outcomes, []);
    clock.advance(400);
    await quiet();
    const reasons = outcomes.map((error) => (error as HeddleError).reason);
    assert.deepEqual(reasons, Array(calls.length).fill(ErrorReason.STORE_UNAVAILABLE));
  });

  it("reads entries row after row, and only the rows they are in", async () => {
    const hooked = new HookedStore();
    await storeLog(hooked.inner, threadId, 4, 10);
    const entries = await logStoreOf(hooked, 4).entries(threadId, 3, 9);
    assert.deepEqual(
      entries.map(({ seq }) => seq),
      [3, 4, 5, 6, 7, 8, 9],
    );
    assert.deepEqual(
      hooked.gets.map(({ bucket, query }) => [bucket, query.entries]),
      [
        [0, { fromSeq: 3, toSeq: 4 }],
        [1, { fromSeq: 5, toSeq: 8 }],
        [2, { fromSeq: 9, toSeq: 9 }],
      ],
    );
  });

  it("knows the bucket of a seq, and a bucket's first and last seq", () => {
    const store = logStoreOf(new HookedStore(), 4);
    assert.deepEqual(
      [1, 4, 5, 8, 9].map((seq) => store.bucketOf(seq)),
      [0, 0, 1, 1, 2],
    );
    assert.deepEqual([store.firstSeqOf(1), store.lastSeqOf(1)], [5, 8]);
  });

  it("rejects with LOG_DAMAGED, and tells of it, where an entry is missing or there twice, for every reader", async () => {
    const hooked = new HookedStore();
    await storeLog(hooked.inner, threadId, 4, 10);
    const told: (number | undefined)[] = [];
    const store = new LogStore(hooked, 4, patience(), 1, (_, seq) => void told.push(seq));
    const seen = { last: { firstSeq: 1, lastSeq: 10 }, earlier: async () => [] };
    const reads = [
      () => store.entries(threadId, 2, 9),
      () => store.keys(threadId, 5, 8),
      () => store.cell(threadId, 6),
      () => readPage(store, threadId, seen, { case: undefined }, 10),
      () => new StoreSearch(store).range(threadId, { userId: "ann", clientId: threadId, tagKey: 0 }, 1, 10),
      () => new StoreSearch(store).pick(threadId, { userId: "ann", clientId: threadId, tagKey: 0 }, [6]),
    ];
    for (const damage of [
      (cells: readonly EntryCellPut[]) => cells.filter(({ seq }) => seq !== 6),
      (cells: readonly EntryCellPut[]) => cells.flatMap((cell) => (cell.seq === 6 ? [cell, cell] : [cell])),
    ]) {
      hooked.onGet = async (read) => {
        const row = await read();
        return { ...row, entries: damage(row.entries) };
      };
      for (const [at, read] of reads.entries()) {
        told.length = 0;
        await assert.rejects(
          async () => await read(),
          (error: HeddleError) => error.reason === ErrorReason.LOG_DAMAGED && !error.committedNever,
          `read ${at}`,
        );
        assert.equal(told.length, 1, `read ${at}`);
      }
    }
  });
});
