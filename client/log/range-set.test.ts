import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeSet } from "./range-set.ts";

const range = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 8 }));
const change = fc.record({ isAdd: fc.boolean(), range });

describe("RangeSet", function () {
  this.timeout(20_000);
  it("is the set of its seqs, as few ranges as possible", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), range, (changes, [low, length]) => {
        const set = new RangeSet();
        const model = new Set<number>();
        for (const {
          isAdd,
          range: [from, more],
        } of changes) {
          if (isAdd) set.add(from, from + more);
          else set.remove(from, from + more);
          for (let seq = from; seq <= from + more; seq++) isAdd ? model.add(seq) : model.delete(seq);
        }
        for (let seq = 0; seq <= 50; seq++) assert.equal(set.has(seq), model.has(seq), `seq ${seq}`);
        assert.equal(set.highest, Math.max(0, ...model));
        set.ranges.forEach(([from, to], at) => {
          assert.ok(from <= to);
          const before = set.ranges[at - 1];
          if (before) assert.ok(before[1] + 1 < from, "ranges are apart");
        });
        const missing = set.firstMissing(low, low + length);
        const absent = Array.from({ length: length + 1 }, (_, at) => low + at).filter(
          (seq) => !model.has(seq),
        );
        assert.equal(missing?.[0], absent[0]);
        if (missing) {
          for (let seq = missing[0]; seq <= missing[1]; seq++) assert.ok(!model.has(seq));
          assert.ok(missing[1] === low + length || model.has(missing[1] + 1));
        }
      }),
    );
  });
});
