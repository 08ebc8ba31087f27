import assert from "node:assert/strict";
import { encodeHead } from "../../base/head.ts";
import { headAt, storedCell } from "../../testing/fakes/message/message-samples.ts";
import type { EntryCellPut } from "../ports.ts";
import { ThreadCheck } from "./thread-check.ts";

const threadId = new Uint8Array(16);
const cells = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => storedCell(from + at));

/** The problems of a thread with these rows, by bucket: the head's seq, and the entries. */
function problemsOf(rows: Readonly<Record<number, readonly [number | undefined, readonly EntryCellPut[]]>>) {
  const check = new ThreadCheck();
  for (const [bucket, [seq, entries]] of Object.entries(rows)) {
    const head = seq === undefined ? undefined : encodeHead(headAt(seq));
    check.addRow({ threadId, bucket: Number(bucket) }, { head, entries, cells: [] });
  }
  return check.problems;
}

describe("The check of a thread's log", () => {
  it("finds nothing in a whole one, over buckets, and in one whose new bucket has no entry yet", () => {
    assert.deepEqual(problemsOf({ 0: [9, cells(1, 9)] }), []);
    assert.deepEqual(problemsOf({ 0: [512, cells(1, 512)], 1: [520, cells(513, 520)] }), []);
    assert.deepEqual(problemsOf({ 0: [512, cells(1, 512)], 1: [512, []] }), []);
  });

  it("finds entries that are missing, there twice, or above the head", () => {
    const hole = [...cells(1, 3), ...cells(6, 9)];
    assert.match(problemsOf({ 0: [9, hole] }).join(), /^seq 4 to 5 are missing/);
    assert.match(problemsOf({ 0: [9, cells(1, 7)] }).join(), /^seq 8 to 9 are missing/);
    assert.match(problemsOf({ 0: [9, [...cells(1, 9), ...cells(9, 9)]] }).join(), /seq 9 is there twice/);
    assert.match(problemsOf({ 0: [7, cells(1, 9)] }).join(), /^seq 8 to 9 stand above the head/);
  });

  it("finds a row that is missing, and a head", () => {
    assert.match(problemsOf({ 1: [520, cells(513, 520)] }).join(), /^bucket 0 is missing/);
    assert.match(problemsOf({ 0: [undefined, cells(1, 9)] }).join(), /^bucket 0 has no head/);
  });

  it("finds entries that are not what was appended", () => {
    const change = (edit: (cell: EntryCellPut) => EntryCellPut) => {
      const entries = cells(1, 3).map((cell) => (cell.seq === 2 ? edit(cell) : cell));
      return problemsOf({ 0: [3, entries] }).join();
    };
    const text = Buffer.from("entry 2");
    const otherText = ({ value, ...rest }: EntryCellPut) => {
      const copy = Buffer.from(value);
      copy.write("entri 2", copy.indexOf(text));
      return { ...rest, value: copy };
    };
    assert.match(change(otherText), /^seq 2 has another text than its hash/);
    assert.match(
      change((cell) => ({ ...cell, tag: new Uint8Array(8) })),
      /^seq 2 has another sender/,
    );
    assert.match(
      change((cell) => ({ ...cell, value: cell.value.subarray(0, -3) })),
      /^seq 2 is not readable/,
    );
    assert.match(
      change((cell) => ({ ...cell, value: storedCell(3).value })),
      /seq 2 has ordinal 3, not 2/,
    );
  });
});
