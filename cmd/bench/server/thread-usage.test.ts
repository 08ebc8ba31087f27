import assert from "node:assert/strict";
import { parseThread, threadsText } from "./thread-usage.ts";

describe("Thread usage", () => {
  it("is read from Linux's line per thread, whatever its name", () => {
    const stat = "42 (libuv) work (er) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0";
    assert.deepEqual(parseThread(stat), { name: "libuv) work (er", seconds: 1.75 });
    assert.equal(parseThread(""), undefined);
  });

  it("tells each name's share of what was used, most first, threads that came meanwhile included", () => {
    const before = new Map([
      ["MainThread", 10],
      ["V8Worker", 1],
    ]);
    const after = new Map([
      ["V8Worker", 1],
      ["libuv-worker", 1],
      ["MainThread", 13],
    ]);
    assert.equal(
      threadsText(before, after),
      "CPU of the server by thread: MainThread 75 %, libuv-worker 25 %",
    );
    assert.equal(threadsText(before, before), undefined);
  });
});
