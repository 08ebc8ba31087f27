import assert from "node:assert/strict";
import fc from "fast-check";
import { linkedText, type TextPart } from "./linked-text.ts";

const links = (text: string) => linkedText(text).filter((part) => typeof part !== "string");
const joined = (parts: readonly TextPart[]) =>
  parts.map((part) => (typeof part === "string" ? part : part.text)).join("");

describe("Links in messages", () => {
  it("are found with and without a scheme, without the full stop behind them", () => {
    assert.deepEqual(linkedText("see https://heddle.dev/a?b=1#c."), [
      "see ",
      { text: "https://heddle.dev/a?b=1#c", href: "https://heddle.dev/a?b=1#c" },
      ".",
    ]);
    assert.deepEqual(links("www.example.com and mailto:a@example.com"), [
      { text: "www.example.com", href: "http://www.example.com/" },
      { text: "mailto:a@example.com", href: "mailto:a@example.com" },
    ]);
  });

  it("are not seen where a person means a file or a version", () => {
    for (const text of ["readme.md", "main.rs and a.out", "1.2.3.4", "ann@example.com", "//x"]) {
      assert.deepEqual(linkedText(text), [text]);
    }
  });

  it("never run anything", () => {
    for (const text of [
      "javascript:alert(1)",
      "data:text/html,<b>x</b>",
      "vbscript:x",
      "file:///etc/passwd",
    ]) {
      assert.deepEqual(linkedText(text), [text]);
    }
  });

  it("leave the message as it was written, whatever it is", () => {
    const scheme = fc.constantFrom("https://", "http://", "www.", "mailto:a@", "javascript:", "");
    const link = fc.tuple(scheme, fc.string({ unit: "grapheme-ascii" })).map((pair) => pair.join("x.org/"));
    const message = fc.array(fc.oneof(link, fc.string(), fc.constantFrom(" ", "世界", "👍🏽")));
    fc.assert(
      fc.property(message, (pieces) => {
        const text = pieces.join("");
        const parts = linkedText(text);
        assert.equal(joined(parts), text);
        for (const part of parts) if (typeof part !== "string") assert.match(part.href, /^(https?|mailto):/);
      }),
    );
  });
});
