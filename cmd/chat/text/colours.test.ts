import assert from "node:assert/strict";
import { isColoured } from "./colours.ts";

describe("Colours", () => {
  it("are for terminals, and where they are wanted", () => {
    assert.equal(isColoured({}, { isTTY: true }), true);
    assert.equal(isColoured({ TERM: "dumb" }, { isTTY: true }), false);
    assert.equal(isColoured({ NO_COLOR: "1", FORCE_COLOR: "1" }, { isTTY: true }), false);
    assert.equal(isColoured({ FORCE_COLOR: "1" }, {}), true);
  });

  it("are in no pipe because a machine calls itself CI", () => {
    assert.equal(isColoured({ CI: "true", TERM: "xterm" }, {}), false);
  });
});
