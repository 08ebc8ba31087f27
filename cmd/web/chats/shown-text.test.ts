import assert from "node:assert/strict";
import { shownText } from "./shown-text.ts";

describe("Shown text", () => {
  it("keeps marks that are closed, one in another too", () => {
    for (const text of ["plain", "a \u202ebc\u202c d", "\u2067a \u202bb\u202c\u2069 c", "\u2068\u2069"]) {
      assert.equal(shownText(text), text);
    }
  });

  it("leaves out marks that open what is never closed, or close what is not open", () => {
    assert.equal(shownText("pay \u202e100"), "pay 100");
    assert.equal(shownText("\u202c\u2069a"), "a");
    assert.equal(shownText("\u202ea\u202eb\u202c"), "a\u202eb\u202c");
    assert.equal(shownText("\u2066a\u202eb\u2069c\u202c"), "\u2066ab\u2069c");
    assert.equal(shownText("\u202ea\u2066b\u202c"), "ab");
  });
});
