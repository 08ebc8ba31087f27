import assert from "node:assert/strict";
import { FakeClock } from "./fake-clock.ts";

describe("FakeClock", () => {
  it("calls back what falls due, in order, each at its own time, timers set on the way included", () => {
    const clock = new FakeClock(1_000);
    const start = clock.monotonicMs();
    const seen: [string, number][] = [];
    const note = (name: string) => seen.push([name, clock.monotonicMs() - start]);
    clock.after(30, () => note("second"));
    clock.after(10, () => {
      note("first");
      clock.after(25, () => note("third"));
    });
    clock.after(100, () => note("not yet"));
    const cancel = clock.after(20, () => note("cancelled"));
    cancel();
    clock.advance(50);
    assert.deepEqual(seen, [
      ["first", 10],
      ["second", 30],
      ["third", 35],
    ]);
    assert.equal(clock.nowMs(), 1_050);
    assert.equal(clock.waiting, 1);
  });

  it("moves the wall clock alone when it jumps", () => {
    const clock = new FakeClock(1_000);
    const before = clock.monotonicMs();
    clock.jumpWall(-400);
    assert.deepEqual([clock.nowMs(), clock.monotonicMs()], [600, before]);
  });
});
