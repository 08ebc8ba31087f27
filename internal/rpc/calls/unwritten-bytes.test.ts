import assert from "node:assert/strict";
import { HIGH_WATER_BYTES, UnwrittenBytes } from "./unwritten-bytes.ts";

describe("UnwrittenBytes", () => {
  it("is full above the high water, until all has left", () => {
    const unwritten = new UnwrittenBytes();
    assert.deepEqual(
      [unwritten.add(HIGH_WATER_BYTES), unwritten.add(1), unwritten.add(0)],
      [true, false, false],
    );
    assert.equal(unwritten.bytes, HIGH_WATER_BYTES + 1);
    assert.deepEqual([unwritten.left(), unwritten.bytes, unwritten.add(5)], [false, 1, false]);
    assert.deepEqual([unwritten.left(), unwritten.left(), unwritten.left()], [false, false, true]);
    assert.deepEqual([unwritten.add(1), unwritten.left(), unwritten.bytes], [true, false, 0]);
  });

  it("has nothing left of what was cleared, and takes what is told of it all the same", () => {
    const unwritten = new UnwrittenBytes();
    unwritten.add(7);
    unwritten.clear();
    assert.deepEqual([unwritten.left(), unwritten.bytes], [false, 0]);
  });
});
