import type { BenchRecord } from "./record.ts";

/** The columns of a table of records, for a terminal and for the page. */
export const COLUMNS = ["bench", "value", "p50", "p99", "p99.9", "CPU each", "with"] as const;

/** A record as the cells of those columns. */
export function cellsOf(record: BenchRecord): string[] {
  const ms = (value: number | string | null | undefined) =>
    typeof value === "number" ? `${plain(value)} ms` : "";
  const cpu = record.server_cpu_us_per_delivery;
  return [
    record.bench,
    `${plain(record.value)} ${record.unit}`,
    ms(record.p50_ms),
    ms(record.p99_ms),
    ms(record.params.p999_ms),
    cpu === null ? "" : `${plain(cpu)} µs`,
    paramsText(record),
  ];
}

/** What it was measured with, without what has a column of its own. */
function paramsText({ params }: BenchRecord): string {
  const shown = Object.entries(params).filter(([name]) => name !== "at" && name !== "p999_ms");
  return shown.map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", ");
}

/** Rows under their columns, for a terminal. */
export function table(records: readonly BenchRecord[]): string {
  const rows = [[...COLUMNS], ...records.map(cellsOf)];
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) =>
        at === 0 || at === COLUMNS.length - 1 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}

/** Three significant digits, 12345.6 as 12,300: what a run tells is not more exact. */
function plain(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}
