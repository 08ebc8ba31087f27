import assert from "node:assert/strict";
import fc from "fast-check";
import { oneLine, safeText } from "./safe-text.ts";

describe("Text of other people", function () {
  this.timeout(20_000);
  it("never holds a control character but the line end", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(safeText(text), /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
    assert.equal(safeText("\u001b[2Jgone\u0007 \u009b31m \u202eevil"), "·[2Jgone· ·31m ·evil");
  });

  it("is otherwise shown as it was written", () => {
    assert.equal(
      safeText("grüße 你好 👩‍👩‍👧\nline two\r\nthree\tfour"),
      "grüße 你好 👩‍👩‍👧\nline two\nthree    four",
    );
  });

  it("fits on one line where it must, cut between characters", () => {
    assert.equal(oneLine("two\nlines  here", 40), "two lines here");
    assert.equal(oneLine("😀😀😀😀", 3), "😀😀…");
  });
});
