import assert from "node:assert/strict";
import fc from "fast-check";
import { rowsOf, textWidth, wrap } from "./text-width.ts";

describe("The width of text on a terminal", function () {
  this.timeout(20_000);
  it("is two columns for East Asian characters and emoji, none for marks and colours", () => {
    const widths = [
      ["abc", 3],
      ["你好", 4],
      ["한", 2],
      ["😀", 2],
      ["e\u0301", 1],
      ["\u001b[36m✓✓\u001b[39m", 2],
    ] as const;
    for (const [text, width] of widths) assert.equal(textWidth(text), width, text);
  });

  it("says how many rows a line takes", () => {
    assert.deepEqual(
      [0, 1, 80, 81, 160, 161].map((length) => rowsOf("x".repeat(length), 80)),
      [1, 1, 1, 2, 2, 3],
    );
  });

  it("wraps between words, keeps line ends, loses nothing but spaces, and never exceeds the width", () => {
    assert.deepEqual(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
    assert.deepEqual(wrap("unbreakable", 4), ["unbr", "eaka", "ble"]);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", " ", "你", "😀", "\n") }), (text) => {
        const lines = wrap(text, 10);
        for (const line of lines) assert.ok(textWidth(line) <= 10, JSON.stringify(line));
        assert.equal(lines.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
      }),
    );
  });
});
