import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeHead } from "../../base/head.ts";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { rowKey } from "../keys.ts";
import type { StoreWatch } from "../store-watch.ts";
import { CommitQueue, STALL_MS } from "./commit-queue.ts";
import { HeadCache } from "./head-cache.ts";
import { LevelFolder } from "./level-folder.ts";
import { LogMark, MARK_KEY } from "./log-mark.ts";
import { readRow } from "./row-reader.ts";

/** Counts the batches: each is watched by one timer. */
class BatchClock extends FakeClock {
  batches = 0;

  override after(ms: number, callback: () => void): () => void {
    if (ms === STALL_MS) this.batches++;
    return super.after(ms, callback);
  }
}

describe("CommitQueue", () => {
  let path: string;
  let clock: BatchClock;
  let folder: LevelFolder;
  let heads: HeadCache;
  let mark: LogMark;
  /** What the watch was told. */
  let told: string[];
  const watch: StoreWatch = {
    failed: (error) => told.push((error as Error).message),
    recovered: () => told.push("recovered"),
  };

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "heddle-queue-"));
    clock = new BatchClock();
    told = [];
    folder = await LevelFolder.open({ path, clock, watch });
    heads = new HeadCache(4096);
    mark = new LogMark(() => undefined);
  });
  afterEach(async () => {
    await folder.close();
    await rm(path, { recursive: true });
  });

  const queueOf = (maxQueuedBytes = 1_000_000, maxBatchBytes = 100_000) =>
    new CommitQueue({
      folder,
      heads,
      mark,
      clock,
      maxQueuedBytes,
      maxBatchBytes,
      watch,
    });
  const write = (byte: number, seq = 1, expected?: Uint8Array) => ({
    row: { threadId: new Uint8Array(16).fill(byte), bucket: 0 },
    expected,
    head: head(seq),
    entries: [{ seq, tag: new Uint8Array(8), value: new Uint8Array(100) }],
  });
  const stored = (byte: number) =>
    readRow(folder.db, rowKey(write(byte).row), { head: true, entries: { fromSeq: 1, toSeq: 9 } });

  it("syncs what arrives together in one batch", async () => {
    const queue = queueOf();
    const answers = await Promise.all(Array.from({ length: 200 }, (_, at) => queue.commit(write(at), 200)));
    assert.ok(answers.every(Boolean));
    assert.equal(clock.batches, 1);
  });

  it("syncs what arrives during a sync in the next batch", async () => {
    const queue = queueOf();
    const first = queue.commit(write(0), 200);
    await turn(); // The first batch is under way.
    const later = Array.from({ length: 50 }, (_, at) => queue.commit(write(at + 1), 200));
    await Promise.all([first, ...later]);
    assert.equal(clock.batches, 2);
  });

  it("cuts batches at their bound, and lets one write that is larger go alone", async () => {
    const queue = queueOf(1_000_000, 1000);
    await Promise.all([400, 400, 400, 5000, 100].map((bytes, at) => queue.commit(write(at), bytes)));
    assert.equal(clock.batches, 4); // 400 + 400, 400, 5000, 100.
  });

  it("judges writes of one batch in order, each on top of the last", async () => {
    const queue = queueOf();
    const answers = await Promise.all([
      queue.commit(write(1, 1), 200),
      queue.commit(write(1, 2, head(1)), 200),
      queue.commit(write(1, 2, head(1)), 200), // Too late.
      queue.commit(write(1, 3, head(2)), 200),
    ]);
    assert.deepEqual(answers, [true, true, false, true]);
    assert.equal(clock.batches, 1);
    const row = await stored(1);
    assert.deepEqual(
      row.entries.map((entry) => entry.seq),
      [1, 2, 3],
    );
  });

  it("refuses more bytes than it may hold, and takes them when there is room", async () => {
    const queue = queueOf(1000);
    const taken = queue.commit(write(1), 900);
    const isOverloaded = (error: unknown) =>
      error instanceof HeddleError && error.reason === ErrorReason.OVERLOADED && error.retryAfterMs > 0;
    await assert.rejects(queue.commit(write(2), 200), isOverloaded);
    assert.equal(await taken, true);
    assert.equal((await stored(2)).head, undefined);
    assert.equal(await queue.commit(write(2), 200), true);
  });

  it("answers writes of a batch that is stuck, and serves again when it has come through", async () => {
    const queue = queueOf();
    const stuck = queue.commit(write(1), 200);
    await turn();
    const behind = queue.commit(write(2), 200);
    clock.advance(STALL_MS);
    await assert.rejects(stuck, isUnavailable);
    await assert.rejects(behind, isUnavailable);
    assert.equal(queue.stalled, true);
    await assert.rejects(queue.commit(write(3), 200), isUnavailable);
    await queue.drained();
    assert.equal(queue.stalled, false);
    assert.notEqual((await stored(1)).head, undefined); // It was applied after all, as such a write may be.
    assert.equal((await stored(2)).head, undefined);
    assert.equal(await queue.commit(write(1, 2, head(1)), 200), true);
  });

  it("tells its watch once that a batch is stuck, and once that it has come through", async () => {
    const queue = queueOf();
    const stuck = assert.rejects(queue.commit(write(1), 200), isUnavailable);
    await turn();
    assert.deepEqual(told, []);
    clock.advance(STALL_MS);
    clock.advance(10 * STALL_MS);
    await stuck;
    await assert.rejects(queue.commit(write(2), 200), isUnavailable);
    assert.deepEqual(told, ["a batch of the message store has been under way for 5000 ms"]);
    await queue.drained();
    assert.deepEqual(told.slice(1), ["recovered"]);
    await queue.commit(write(2), 200);
    assert.equal(told.length, 2);
  });

  it("leaves it to the folder to tell that a batch which was stuck has failed, and of its recovery", async () => {
    const queue = queueOf();
    const stuck = assert.rejects(queue.commit(write(1), 200), isUnavailable);
    await turn();
    clock.advance(STALL_MS);
    await stuck;
    folder.fail(new Error("the disk is gone"));
    await queue.drained();
    assert.deepEqual(told.slice(1), ["the disk is gone"]);
  });

  it("takes no writes while the folder cannot be written", async () => {
    const queue = queueOf();
    folder.fail(new Error("the disk is full"));
    await assert.rejects(queue.commit(write(1), 200), isUnavailable);
  });

  it("counts a batch in its mark, which others note, only where it is durable", async () => {
    const queue = queueOf();
    await queue.commit(write(1), 200);
    assert.equal(mark.mark, 1);
    const { db } = folder;
    const batch = db.batch;
    Object.assign(db, { batch: () => Promise.reject(new Error("no space left on device")) });
    await assert.rejects(queue.commit(write(2), 200), isUnavailable);
    Object.assign(db, { batch });
    assert.equal(mark.mark, 1);
    while (!told.includes("recovered")) {
      clock.advance(1_000);
      await turn();
    }
    assert.equal(mark.mark, 1);
    await queue.commit(write(2), 200);
    assert.equal(mark.mark, 3, "the batch that failed may be there after all");
    const stored = new LogMark(() => undefined);
    stored.loadMark(await folder.db.get(MARK_KEY));
    assert.equal(stored.mark, 3);
  });
});

function head(seq: number): Uint8Array {
  return encodeHead({ seq, ordinal: seq, membersSeq: 0, epoch: 0 });
}

/** Two turns of the event loop: the queue starts a batch at the end of the first. */
async function turn(): Promise<void> {
  for (let at = 0; at < 2; at++) await new Promise((resolve) => setImmediate(resolve));
}

function isUnavailable(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.STORE_UNAVAILABLE;
}
