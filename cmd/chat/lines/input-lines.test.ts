import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { inputLines } from "./input-lines.ts";

describe("inputLines", () => {
  const linesOf = (chunks: readonly (string | Uint8Array)[]) =>
    Array.fromAsync(inputLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))));

  it("ends lines at line feeds, wherever the chunks end", async () => {
    assert.deepEqual(await linesOf(["on", "e\ntwo\r\n\nfo", "ur"]), ["one", "two", "", "four"]);
  });

  it("leaves the line and paragraph separators of Unicode where they are", async () => {
    assert.deepEqual(await linesOf(["a\u2028b\u2029c\n"]), ["a\u2028b\u2029c"]);
  });

  it("joins a character whose bytes come apart", async () => {
    const bytes = Buffer.from("字\n");
    assert.deepEqual(await linesOf([bytes.subarray(0, 1), bytes.subarray(1)]), ["字"]);
  });
});
