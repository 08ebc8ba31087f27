import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { capacityOf } from "./capacity.ts";
import { capacityText } from "./capacity-text.ts";
import { cellBytes } from "./cell-bytes.ts";
import { MEASURED, type Measured, RULES } from "./constants.ts";
import { SEED } from "./workload.ts";

const docs = join(import.meta.dirname, "../../docs");
const bench = readFileSync(join(docs, "bench.md"), "utf8");
const page = readFileSync(join(docs, "capacity.md"), "utf8");

/** µs of CPU, or the value, that docs/bench.md has in a row. */
function figureIn({ row: { bench: name, column, with: params } }: Measured): number {
  const columns = ["bench", "value", "p50", "p99", "p99.9", "CPU each", "with"];
  const rows = bench.split("\n").map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1),
  );
  const row = rows.find(([first, ...rest]) => first === name && rest[5]?.includes(params));
  const cell =
    row?.[columns.indexOf(column)] ?? assert.fail(`docs/bench.md has no row ${name} with ${params}`);
  return Number.parseFloat(cell.replaceAll(",", ""));
}

describe("What a plan rests on", () => {
  for (const [name, measured] of Object.entries(MEASURED)) {
    it(`${name}: is what docs/bench.md says, within a factor of two, by a command that is written there`, () => {
      const figure = figureIn(measured);
      const ratio = measured.value / figure;
      assert.ok(ratio > 0.5 && ratio < 2, `constants.ts says ${measured.value}, docs/bench.md ${figure}`);
      assert.ok(bench.includes(`\`${measured.command}\``), measured.command);
    });
  }

  it("stands in docs/capacity.md, each with what measures it or where it comes from", () => {
    for (const { value, unit, about, command } of Object.values(MEASURED)) {
      assert.ok(
        page.includes(`| ${value.toLocaleString("en")} ${unit} | ${about} | \`${command}\` |`),
        about,
      );
    }
    for (const { value, unit, about } of Object.values(RULES)) {
      assert.ok(page.includes(`| ${value.toLocaleString("en")} ${unit} | ${about} |`), about);
    }
  });

  it("is a cell of two and a half times its text, where the text has 100 bytes", () => {
    assert.deepEqual([cellBytes(100), cellBytes(0), cellBytes(32_768)], [248, 146, 32_922]);
  });
});

describe("docs/capacity.md", () => {
  it("shows what `bin/heddle capacity` prints", () => {
    const shown = /```\n\$ bin\/heddle capacity\n([\s\S]*?)```/.exec(page)?.[1];
    assert.equal(shown, capacityText(capacityOf(SEED)));
  });
});
