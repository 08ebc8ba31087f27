import assert from "node:assert/strict";
import { decodeHead, encodeHead, type Head } from "../../base/head.ts";
import { headAt, storedCell } from "../../testing/fakes/message/message-samples.ts";
import { ThreadSalvage } from "./thread-salvage.ts";

/** A thread of which these heads, by bucket, and these entries are left. */
function salvaged(heads: Readonly<Record<number, number>>, seqs: readonly number[]) {
  const thread = new ThreadSalvage();
  for (const [bucket, seq] of Object.entries(heads)) thread.addHead(Number(bucket), encodeHead(headAt(seq)));
  for (const seq of seqs) thread.addEntry(storedCell(seq));
  const mended = [...thread.heads()].map(([bucket, bytes]) => [bucket, decodeHead(bytes)] as const);
  return { seq: thread.seq, lost: thread.lost, mended: new Map(mended) };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe("What is left of a thread's log", () => {
  it("is as it was where nothing is lost", () => {
    const { lost, mended } = salvaged({ 0: 512, 1: 520 }, range(1, 520));
    assert.deepEqual([lost, mended.size], [[], 0]);
  });

  it("names what is lost, between entries and below the head", () => {
    const { seq, lost, mended } = salvaged({ 0: 9 }, [1, 2, 5, 6]);
    assert.deepEqual(
      [seq, lost],
      [
        9,
        [
          [3, 4],
          [7, 9],
        ],
      ],
    );
    assert.equal(mended.size, 0);
  });

  it("gets a head that says what stands below it where an older one is left, so that no seq is given twice", () => {
    const { seq, mended } = salvaged({ 0: 4 }, range(1, 6));
    assert.equal(seq, 6);
    assert.deepEqual(mended.get(0), { ...headAt(6), epoch: 1 });
  });

  it("gets a head for each row: where the last is lost, and where one before it is", () => {
    const { mended, lost } = salvaged({ 2: 1_030 }, [...range(1, 10), ...range(1_025, 1_030)]);
    assert.deepEqual(lost, [[11, 1_024]]);
    assert.deepEqual([mended.get(0)?.seq, mended.get(1)?.seq, mended.has(2)], [512, 1_024, false]);
    assert.equal(salvaged({ 0: 512 }, range(1, 515)).mended.get(1)?.seq, 515);
  });

  it("knows an epoch that comes of the making from one that a head had", () => {
    const isMade = (heads: readonly Head[], seqs: readonly number[]) => {
      const thread = new ThreadSalvage();
      for (const [bucket, head] of heads.entries()) thread.addHead(bucket, encodeHead(head));
      for (const seq of seqs) thread.addEntry(storedCell(seq));
      return thread.isEpochMade;
    };
    const raised = { ...headAt(512), epoch: 1 };
    assert.deepEqual(
      [
        isMade([], range(1, 6)),
        isMade([headAt(512)], range(1, 515)),
        isMade([headAt(6)], range(1, 6)),
        isMade([raised], range(1, 515)),
        isMade([], []),
      ],
      [true, true, false, false, false],
    );
  });
});
