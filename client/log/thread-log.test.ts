import assert from "node:assert/strict";
import fc from "fast-check";
import type { Entry } from "../model/model.ts";
import { ThreadLog } from "./thread-log.ts";

function entry(seq: number): Entry {
  const body = { kind: "text", text: `message ${seq}` } as const;
  return {
    threadId: "aa",
    seq,
    sender: "bob",
    clientId: `${seq}`,
    baseSeq: 0,
    ordinal: seq,
    createdAtMs: seq,
    body,
  };
}

const seqs = (entries: readonly Entry[]) => entries.map(({ seq }) => seq);

describe("ThreadLog", function () {
  this.timeout(20_000);
  it("gives out every entry once and in order, whatever is lost, repeated or late, by pulling what is missing", () => {
    const arrivals = fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }), { maxLength: 30 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 60, max: 400 }), (batches, head) => {
        const log = new ThreadLog();
        const given: number[] = [];
        for (const batch of batches) {
          given.push(...seqs(log.takeEntries(batch.map(entry))));
          assert.equal(log.position, given.length);
        }
        log.learn({ seq: head, ordinal: head });
        let pulls = 0;
        for (let missing = log.missing(); missing; missing = log.missing()) {
          const { afterSeq, count } = missing;
          const page = Array.from({ length: Math.min(200, count) }, (_, at) => afterSeq + 1 + at);
          for (const seq of page) assert.equal(log.get(seq), undefined, `${seq} is pulled and held`);
          given.push(...seqs(log.takeEntries(page.map(entry))));
          assert.ok(++pulls < 500, "no progress");
        }
        assert.deepEqual(
          given,
          Array.from({ length: head }, (_, at) => at + 1),
        );
      }),
    );
  });

  it("asks for exactly the gap", () => {
    const log = new ThreadLog();
    log.takeEntries([1, 2, 3, 7, 8].map(entry));
    assert.deepEqual(log.missing(), { afterSeq: 3, count: 3 });
    assert.equal(log.highest, 8);
    assert.deepEqual(seqs(log.takeEntries([4, 5, 6].map(entry))), [4, 5, 6, 7, 8]);
    assert.equal(log.missing(), undefined);
  });

  it("learns of a gap from a head alone", () => {
    const log = new ThreadLog();
    log.takeEntries([entry(1)]);
    assert.equal(log.learn({ seq: 4, ordinal: 4 }), true);
    assert.deepEqual(log.missing(), { afterSeq: 1, count: 3 });
    assert.equal(log.learn({ seq: 3, ordinal: 3 }), false, "an older head is no news");
  });

  it("holds a bounded number of entries, the newest for reading, the nearest of those that wait", () => {
    const log = new ThreadLog();
    for (let seq = 1; seq <= 1_000; seq++) log.takeEntries([entry(seq)]);
    assert.equal(log.newest().length, 200);
    assert.equal(log.newest()[0]?.seq, 801);
    for (let seq = 1_100; seq < 1_500; seq++) log.takeEntries([entry(seq)]);
    assert.ok(log.get(1_100), "what is needed next is kept");
    assert.equal(log.get(1_499), undefined, "what is far ahead is pulled again");
    assert.equal(log.head.seq, 1_499);
  });

  it("holds a bounded number of bytes, and the newest entry whatever its size", () => {
    const log = new ThreadLog();
    const text = "x".repeat(8_192);
    for (let seq = 1; seq <= 100; seq++) log.takeEntries([{ ...entry(seq), body: { kind: "text", text } }]);
    assert.ok(log.bytes <= 256 * 1024, `${log.bytes}`);
    assert.ok(log.newest().length > 10);
    log.isOpen = true;
    for (let seq = 101; seq <= 200; seq++) log.takeEntries([{ ...entry(seq), body: { kind: "text", text } }]);
    assert.ok(log.newest().length > 100, "a person reads it");
    log.shrink();
    assert.deepEqual(seqs(log.newest()), [200]);
    assert.equal(log.position, 200);
    assert.equal(log.missing(), undefined);
  });

  it("skips what is too much to catch up with, and says so", () => {
    const log = new ThreadLog(10);
    log.learn({ seq: 5_000, ordinal: 5_000 });
    assert.equal(log.skip(1_000), 4_000);
    assert.deepEqual(log.missing(), { afterSeq: 4_000, count: 1_000 });
    assert.equal(log.skip(1_000), 0);
  });

  describe("of one who was away from a group", () => {
    const spans = [{ firstSeq: 2, lastSeq: 5 }, { firstSeq: 9, lastSeq: 10 }, { firstSeq: 20 }];

    it("takes what lies before and between spans as no hole", () => {
      const log = new ThreadLog();
      log.see(spans);
      log.learn({ seq: 22, ordinal: 22 });
      const given: number[] = [];
      const asked: number[][] = [];
      for (let missing = log.missing(); missing; missing = log.missing()) {
        const { afterSeq, count } = missing;
        asked.push([afterSeq, count]);
        given.push(
          ...seqs(log.takeEntries(Array.from({ length: count }, (_, at) => entry(afterSeq + 1 + at)))),
        );
      }
      assert.deepEqual(asked, [
        [1, 4],
        [8, 2],
        [19, 3],
      ]);
      assert.deepEqual(given, [2, 3, 4, 5, 9, 10, 20, 21, 22]);
      assert.deepEqual(seqs(log.newest()), given);
      assert.deepEqual([log.position, log.highest], [22, 22]);
    });

    it("gives out the rest of the span before ahead of what waits above it", () => {
      const log = new ThreadLog();
      log.see([{ firstSeq: 1 }]);
      log.takeEntries([1, 2, 3].map(entry));
      log.see([{ firstSeq: 1, lastSeq: 5 }, { firstSeq: 20 }]);
      assert.deepEqual(log.takeEntries([20, 21].map(entry)), []);
      assert.deepEqual(log.missing(), { afterSeq: 3, count: 2 });
      assert.deepEqual(seqs(log.takeEntries([4, 5].map(entry))), [4, 5, 20, 21]);
    });

    it("skips by what there is to see, and holds a bounded number of it", () => {
      const log = new ThreadLog();
      log.see([{ firstSeq: 1, lastSeq: 100 }, { firstSeq: 1_000_000_000 }]);
      log.learn({ seq: 1_000_000_009, ordinal: 200 });
      assert.equal(log.skip(110), 0);
      assert.equal(log.skip(30), 80);
      assert.deepEqual(log.missing(), { afterSeq: 80, count: 20 });
      for (let seq = 81; seq <= 100; seq++) log.takeEntries([entry(seq)]);
      for (let seq = 1_000_000_000; seq < 1_000_000_195; seq++) log.takeEntries([entry(seq)]);
      assert.equal(log.newest().length, 200);
      assert.equal(log.newest()[0]?.seq, 96);
    });

    it("sees what the row tells of it later", () => {
      const log = new ThreadLog();
      log.beginAt(20);
      assert.deepEqual(seqs(log.takeEntries([20].map(entry))), [20]);
      log.see(spans);
      assert.equal(log.missing(), undefined);
      log.takeEntries([9, 10].map(entry));
      assert.deepEqual(seqs(log.newest()), [9, 10, 20]);
    });
  });

  it("begins where the user has read, not beyond the head", () => {
    const log = new ThreadLog(0, { seq: 5, ordinal: 5 });
    log.startAt(9);
    assert.equal(log.position, 5);
  });
});
