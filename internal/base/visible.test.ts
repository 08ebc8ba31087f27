import assert from "node:assert/strict";
import { hasVisible } from "./visible.ts";

describe("hasVisible", () => {
  it("is true of what can be seen, in any script", () => {
    for (const text of ["a", "é", "שלום", "家", "👨‍👩‍👧", " x ", "\u200bx", "\u0301", "."])
      assert.ok(hasVisible(text), text);
  });

  it("is false of blanks, and of characters that show nothing", () => {
    const unseen = [
      "",
      " ",
      "\u00a0\u3000",
      "\u200b",
      "\u200b\u200d\u2060\ufeff",
      "\u202e",
      "\u3164",
      "\u2800",
      "\ufe0f",
    ];
    for (const text of [...unseen, "\n\t"]) assert.equal(hasVisible(text), false, JSON.stringify(text));
  });
});
