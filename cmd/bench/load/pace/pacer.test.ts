import assert from "node:assert/strict";
import { pace } from "./pacer.ts";

describe("pace", () => {
  it("calls back for every moment of the schedule, never early, and names the moment it was due after a stall", async () => {
    const calls: { index: number; dueMs: number; nowMs: number }[] = [];
    await pace({ perSecond: 1_000, count: 100 }, (index, dueMs) => {
      calls.push({ index, dueMs, nowMs: performance.now() });
      const untilMs = performance.now() + 30;
      while (index === 20 && performance.now() < untilMs); // The stall.
    });
    assert.deepEqual(
      calls.map(({ index }) => index),
      Array.from({ length: 100 }, (_, at) => at),
    );
    const firstMs = calls[0]?.dueMs ?? 0;
    for (const { index, dueMs, nowMs } of calls) {
      assert.ok(Math.abs(dueMs - firstMs - index) < 1e-6, `${index} was due at ${dueMs - firstMs} ms`);
      assert.ok(nowMs >= dueMs, `${index} came early`);
    }
    const late = calls[25];
    assert.ok(late && late.nowMs - late.dueMs >= 20, "the stall counts for the sends that it held up");
  });

  it("ends at once when it is stopped", async () => {
    const stop = new AbortController();
    const calls: number[] = [];
    const onDue = (index: number) => {
      calls.push(index);
      if (index === 2) stop.abort();
    };
    await pace({ perSecond: 100, count: 1_000_000 }, onDue, stop.signal);
    assert.deepEqual(calls, [0, 1, 2]);
  });
});
