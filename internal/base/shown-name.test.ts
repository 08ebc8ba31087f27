import assert from "node:assert/strict";
import { isShownName, shownName } from "./shown-name.ts";

describe("isShownName", () => {
  it("is true of what people and groups are called", () => {
    for (const name of ["Ann", "Ann Lee", "שלום", "👨‍👩‍👧", "x".repeat(100), "👧".repeat(100)])
      assert.ok(isShownName(name), name);
  });

  it("is false of what shows nothing, of more than one line, and of what hides or reverses the rest", () => {
    const ends = [
      "\0",
      "\n",
      "\r",
      "\t",
      "\x1b[2J",
      "\u0085",
      "\u2028",
      "\u2029",
      "\u202e",
      "\u2066",
      "\ufeff",
    ];
    const bad = ["", " ", "\u200b", " Ann", "Ann ", "Ann  Lee", "\ud800", "x".repeat(101)];
    for (const name of [...bad, ...ends.map((one) => `Ann${one}Lee`)])
      assert.equal(isShownName(name), false, JSON.stringify(name));
  });
});

describe("shownName", () => {
  it("makes one line of a text that somebody else gave, or nothing", () => {
    assert.equal(shownName(" Ann\n\u202eLee "), "Ann Lee");
    assert.equal(shownName("x".repeat(200)), "x".repeat(100));
    assert.equal(shownName("\u200b\0"), "");
  });
});
