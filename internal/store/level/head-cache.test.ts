import assert from "node:assert/strict";
import { HeadCache } from "./head-cache.ts";

const row = (byte: number, bucket = 0) => ({ threadId: new Uint8Array(16).fill(byte), bucket });

describe("HeadCache", () => {
  it("keeps the rows used last, at least as many as a generation holds", () => {
    const cache = new HeadCache(4);
    const kept = cache.row(row(0));
    for (let byte = 1; byte < 4; byte++) cache.row(row(byte));
    assert.equal(cache.row(row(0)), kept);
    for (let byte = 4; byte < 7; byte++) {
      cache.row(row(byte));
      assert.equal(cache.row(row(0)), kept, "a row in use was dropped");
    }
  });

  it("forgets rows long unused", () => {
    const cache = new HeadCache(4);
    const first = cache.row(row(0));
    for (let byte = 1; byte < 20; byte++) cache.row(row(byte));
    assert.notEqual(cache.row(row(0)), first);
  });

  it("tells buckets and threads apart", () => {
    const cache = new HeadCache(8);
    const rows = [row(1), row(1, 1), row(1, 11), row(0x31), row(0xff)].map((key) => cache.row(key));
    assert.equal(new Set(rows).size, 5);
  });

  it("knows nothing of a fresh row, and nothing after it was cleared", () => {
    const cache = new HeadCache(8);
    const fresh = cache.row(row(1));
    assert.deepEqual([fresh.known, fresh.head], [false, undefined]);
    fresh.known = true;
    fresh.head = new Uint8Array(32);
    cache.clear();
    assert.equal(cache.row(row(1)).known, false);
  });
});
