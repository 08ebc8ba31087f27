import assert from "node:assert/strict";
import { ByteQueue } from "./byte-queue.ts";

describe("ByteQueue", () => {
  it("takes items up to its bound in bytes, and refuses the next without changing", () => {
    const queue = new ByteQueue<string>(10);
    assert.equal(queue.push("six", 6), true);
    assert.equal(queue.push("five", 5), false);
    assert.equal(queue.push("four", 4), true);
    assert.deepEqual([queue.bytes, queue.length], [10, 2]);
  });

  it("gives back everything in order, and is empty then", () => {
    const queue = new ByteQueue<string>(10);
    queue.push("a", 6);
    queue.push("b", 4);
    assert.deepEqual(queue.takeAll(), ["a", "b"]);
    assert.deepEqual([queue.bytes, queue.length, queue.takeAll()], [0, 0, []]);
    assert.equal(queue.push("c", 10), true);
  });
});
