import assert from "node:assert/strict";
import { FanOut } from "./fan-out.ts";
import { Latencies } from "./latency.ts";

describe("FanOut", () => {
  /** Posts of a group of three, accepted, which came to the others. */
  function posted(count: number): { readonly fanOut: FanOut; readonly ids: readonly Uint8Array[] } {
    const fanOut = new FanOut(3);
    const ids = Array.from({ length: count }, () => Uint8Array.from(fanOut.next(100)));
    for (const id of ids) fanOut.noteAccepted(id, 101);
    return { fanOut, ids };
  }

  it("is settled when every entry has come to every member but its sender", () => {
    const { fanOut, ids } = posted(2);
    for (const [at, id] of ids.entries()) {
      assert.equal(fanOut.isSettled, false);
      fanOut.noteArrived("bob", id, at + 1, 105);
      fanOut.noteArrived("cy", id, at + 1, 115);
    }
    assert.equal(fanOut.isSettled, true);
    assert.deepEqual(fanOut.counts, { sent: 2, accepted: 2, arrived: 4 });
    assert.equal(fanOut.problem, undefined);
  });

  it("counts latency at each member, from the moment a post was due", () => {
    const { fanOut, ids } = posted(1);
    for (const id of ids) {
      fanOut.noteArrived("bob", id, 1, 110);
      fanOut.noteArrived("cy", id, 1, 130);
    }
    const { p50_ms, p99_ms } = new Latencies(fanOut.latencies().arrived).percentiles();
    assert.ok(Math.abs(p50_ms - 10) < 0.02 && Math.abs(p99_ms - 30) < 0.04, `${p50_ms}, ${p99_ms}`);
    fanOut.resetLatencies();
    assert.equal(new Latencies(fanOut.latencies().arrived).count, 0);
  });

  for (const [what, seqs] of [
    ["twice", [1, 2, 2]],
    ["out of order", [2, 1]],
  ] as const) {
    it(`tells of an entry that came ${what}`, () => {
      const { fanOut, ids } = posted(1);
      for (const seq of seqs) fanOut.noteArrived("bob", ids[0] ?? new Uint8Array(16), seq, 110);
      assert.match(fanOut.problem ?? "", /^bob got seq \d after 2$/);
    });
  }

  it("is not settled when an entry came to one member only", () => {
    const { fanOut, ids } = posted(2);
    for (const [at, id] of ids.entries()) fanOut.noteArrived("bob", id, at + 1, 110);
    fanOut.noteArrived("cy", ids[1] ?? new Uint8Array(16), 2, 110);
    assert.equal(fanOut.isSettled, false);
  });
});
