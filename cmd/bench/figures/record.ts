import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** One figure, as docs/design.md, section 12 names its fields. `null`: not measured by this benchmark. */
export interface BenchRecord {
  /** `<scenario>` or `<scenario>.<what>`. */
  readonly bench: string;
  /** Of `value`. */
  readonly unit: string;
  readonly value: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** The server's own user plus system time per unit of work: a delivered message, a connect, a page, a frame. */
  readonly server_cpu_us_per_delivery: number | null;
  readonly rss_kb_per_stream: number | null;
  /** What it was measured with, and FOUND: what was found out beside it. */
  readonly params: Readonly<Record<string, string | number>>;
  readonly machine: string;
  readonly commit: string;
}

/**
 * Those of `params` that two measurements of one figure differ in. `at`: when; `deliveries_per_s`: how many came of
 * the posts; `others_cores`: what other processes took of the machine meanwhile; `p999_ms`: with p50 and p99;
 * `times_direct`: CPU beside that of the same bound directly.
 */
const FOUND: readonly string[] = ["at", "deliveries_per_s", "others_cores", "p999_ms", "times_direct"];

/** What a scenario finds out; the rest is the same for all figures of a run. */
export type Figure = Pick<BenchRecord, "bench" | "unit" | "value" | "params"> &
  Partial<Pick<BenchRecord, "p50_ms" | "p99_ms" | "server_cpu_us_per_delivery" | "rss_kb_per_stream">> & {
    readonly p999_ms?: number;
  };

/** Where and when a run takes place. */
export interface RunPlace {
  readonly machine: string;
  readonly commit: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** A figure as it is kept, to three significant digits. Throws if a number is none: a broken scenario. */
export function toRecord(figure: Figure, { machine, commit, at }: RunPlace): BenchRecord {
  const { bench, unit, params } = figure;
  const p999 = rounded(bench, figure.p999_ms);
  return {
    bench,
    unit,
    value: rounded(bench, figure.value) ?? 0,
    p50_ms: rounded(bench, figure.p50_ms),
    p99_ms: rounded(bench, figure.p99_ms),
    server_cpu_us_per_delivery: rounded(bench, figure.server_cpu_us_per_delivery),
    rss_kb_per_stream: rounded(bench, figure.rss_kb_per_stream),
    params: { ...params, ...(p999 === null ? {} : { p999_ms: p999 }), at },
    machine,
    commit,
  };
}

function rounded(bench: string, value: number | null | undefined): number | null {
  if (value === null || value === undefined) return null;
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${bench}: ${value} is no figure`);
  return Number(value.toPrecision(3));
}

/** Adds records to a file, one JSON object a line. */
export async function appendRecords(path: string, records: readonly BenchRecord[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
}

/** All records of a file, oldest first; none if there is no file. */
export async function readRecords(path: string): Promise<BenchRecord[]> {
  const text = await readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as BenchRecord);
}

/** The newest record of each figure: equal in bench and in what it was measured with. Oldest figure first. */
export function newest(records: readonly BenchRecord[]): BenchRecord[] {
  const found = new Map<string, BenchRecord>();
  for (const record of records) found.set(figureOf(record), record);
  return [...found.values()];
}

/** Which figure a record is one of: equal in bench and in what it was measured with. */
export function figureOf({ bench, params }: BenchRecord): string {
  return JSON.stringify([bench, Object.entries(params).filter(([name]) => !FOUND.includes(name))]);
}
