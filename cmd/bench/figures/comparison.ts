import { type BenchRecord, figureOf } from "./record.ts";

/** One figure of two servers under the same load: medians of their runs. */
export interface Comparison {
  readonly bench: string;
  readonly unit: string;
  readonly params: BenchRecord["params"];
  readonly value: Pair;
  /** The server's CPU for one, in µs; undefined where the figure has none. */
  readonly cpuUs: Pair | undefined;
}

/** Before, after, and after divided by before. */
export interface Pair {
  readonly before: number;
  readonly after: number;
  readonly ratio: number;
}

/** Sets the runs of one server beside those of another. A figure that only one of them has is left out. */
export function compareRecords(before: readonly BenchRecord[], after: readonly BenchRecord[]): Comparison[] {
  const olds = Map.groupBy(before, figureOf);
  return [...Map.groupBy(after, figureOf)].flatMap(([figure, news]) => {
    const old = olds.get(figure);
    const last = news.at(-1);
    if (!old || !last) return [];
    const { bench, unit, params } = last;
    const values = (records: readonly BenchRecord[]) => records.map(({ value }) => value);
    const cpu = (records: readonly BenchRecord[]) =>
      records.flatMap((one) => one.server_cpu_us_per_delivery ?? []);
    const [cpuBefore, cpuAfter] = [cpu(old), cpu(news)];
    const cpuUs = cpuBefore.length > 0 && cpuAfter.length > 0 ? pair(cpuBefore, cpuAfter) : undefined;
    return [{ bench, unit, params, value: pair(values(old), values(news)), cpuUs }];
  });
}

/**
 * A line for each figure: what it was, what it is, and the ratio, for a person. How much runs of
 * one server differ, a comparison of a checkout with itself tells.
 */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  const text = ({ before, after, ratio }: Pair) => `${before} → ${after} (× ${ratio.toFixed(3)})`;
  return comparisons
    .map(
      ({ bench, unit, value, cpuUs }) =>
        `${bench}: ${text(value)} ${unit}${cpuUs ? `; CPU each ${text(cpuUs)} µs` : ""}\n`,
    )
    .join("");
}

function pair(before: readonly number[], after: readonly number[]): Pair {
  const [old, now] = [median(before), median(after)];
  return { before: old, after: now, ratio: now / old };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  // The upper of the two in the middle of an even number; RUNS is odd.
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
