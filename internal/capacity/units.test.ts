import assert from "node:assert/strict";
import { bytesText, countText, figureText } from "./units.ts";

describe("Figures of a plan", () => {
  it("have three significant digits and the unit that fits", () => {
    const bytes = [0, 999, 1_000, 999_600, 3.65e15, 27.156e15, 1e24].map(bytesText);
    assert.deepEqual(bytes, ["0 B", "999 B", "1 kB", "1 MB", "3.65 PB", "27.2 PB", "1,000 ZB"]);
  });

  it("are whole where they count things", () => {
    assert.deepEqual([2, 4_133, 231_481.48, 0.4].map(countText), ["2", "4,133", "231,000", "0"]);
    assert.deepEqual(
      [1.45, 12.385, 0, 2_490.3, 0.1 + 0.2].map((one) => figureText(one)),
      ["1.45", "12.4", "0", "2,490", "0.3"],
    );
  });
});
