import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
const tokens = read("tokens.css");
const [light = "", dark = ""] = tokens.split("@media (prefers-color-scheme: dark)");

/** Which text stands on which ground: WCAG 2.2 AA asks 4.5 of text and 3 of signs and edges of fields. */
const textOn: Readonly<Record<string, readonly string[]>> = {
  text: ["ground", "surface", "surface-raised", "selected", "hover", "danger-ground"],
  "text-soft": ["ground", "surface", "surface-raised", "selected", "hover"],
  "own-text": ["own"],
  "own-soft": ["own"],
  accent: ["ground", "surface", "surface-raised", "selected"],
  "on-accent": ["accent", "accent-strong"],
  "on-notice": ["notice"],
  danger: ["ground", "surface", "surface-raised", "danger-ground", "selected"],
  link: ["surface-raised"],
  surface: ["muted-count"],
};
const signOn: Readonly<Record<string, readonly string[]>> = {
  read: ["own", "surface", "selected"],
  "edge-strong": ["surface-raised", "surface", "ground"],
  focus: ["ground", "surface", "surface-raised", "own"],
  accent: ["surface-raised", "surface"],
  online: ["surface", "selected", "hover"],
};

describe("Colours of the page", () => {
  for (const [name, css] of [
    ["light", light],
    ["dark", light + dark],
  ] as const) {
    it(`can be read: ${name}`, () => {
      const colours = coloursOf(css);
      for (const [pairs, least] of [
        [textOn, 4.5],
        [signOn, 3],
      ] as const) {
        for (const [front, grounds] of Object.entries(pairs)) {
          for (const ground of grounds) {
            const found = contrast(colours.get(front), colours.get(ground));
            assert.ok(
              found >= least,
              `${front} on ${ground}: ${found.toFixed(2)}, and ${least} is the least`,
            );
          }
        }
      }
    });
  }

  it("can be read on every avatar", () => {
    const grounds = [...read("base.css").matchAll(/\.hue-\d \{\s*background: (#\w{6});/g)];
    assert.equal(grounds.length, 8);
    for (const [, ground = ""] of grounds) assert.ok(contrast("#ffffff", ground) >= 4.5, ground);
  });
});

/** The last value of each name wins, as in the browser. */
function coloursOf(css: string): ReadonlyMap<string, string> {
  const pairs = [...css.matchAll(/--([\w-]+): (#\w{6});/g)];
  return new Map(pairs.map(([, name = "", value = ""]) => [name, value] as const));
}

function contrast(a: string | undefined, b: string | undefined): number {
  assert.ok(a && b, "a colour that tokens.css does not have");
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
