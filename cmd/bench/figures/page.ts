import type { Scenario } from "../scenario.ts";
import { COLUMNS, cellsOf } from "./figures-text.ts";
import type { BenchRecord } from "./record.ts";

/** The benches that measure what this machine can do at all. */
const ECHO = "floor-stream";
const ECHO_AT_RATE = "floor-stream.echoed";
const SYNC = "floor-sync";

/**
 * docs/bench.md: the newest record of every figure, by scenario, with the machine, and for each its ratio to the
 * machine's floors, the commit, the moment and the command that measures it again.
 */
export function benchPage(records: readonly BenchRecord[], scenarios: readonly Scenario[]): string {
  const machines = [...new Set(records.map(({ machine }) => machine))];
  return [
    "# Figures",
    "",
    "Written by `make bench` from its records; not to be edited. Load and server share the machine, as separate " +
      "processes on 127.0.0.1; the server is `bin/heddle`, everything in one process on embedded stores, each append " +
      "synced to the disk. “CPU each” is the server's own user plus system time, all threads, per unit of the value, " +
      "or per message or change that was delivered where the value is a time. Latencies count from the moment a send " +
      "was due. “others cores”: how many cores other processes and the kernel kept busy meanwhile; well above 0, the " +
      "figures are worse than the machine's.",
    "",
    "“Against the floor” sets CPU beside a bare gRPC echo (scenario `floor-stream`: one frame in, one out) and, of " +
      "what waits for the disk, the p50 beside that of one synced write, or how many there are for each that the disk " +
      "does one after another (`floor-sync`). The echo is the one by the same schedule if there is one, and then the " +
      "p99 stands beside its p99 too: that is how still the machine was; else it is the one at full load.",
    "",
    ...machines.map((machine) => `- Machine: ${machine}${floorsText(records, machine)}`),
    "",
    ...scenarios.flatMap((scenario) => section(scenario, records)),
  ].join("\n");
}

/** A scenario's table; nothing for one that was never measured, so that a page can be made of a part. */
function section(scenario: Scenario, records: readonly BenchRecord[]): string[] {
  const own = records.filter((record) => scenarioOf(record) === scenario.name);
  if (own.length === 0) return [];
  const columns = [...COLUMNS, "against the floor", "commit", "when"];
  return [
    `## ${scenario.name}`,
    "",
    scenario.about,
    "",
    `\`make bench ONLY=${scenario.name}\``,
    "",
    row(columns),
    row(columns.map(() => "---")),
    ...own.map((record) =>
      row([...cellsOf(record), ratios(record, scenario, records), record.commit, when(record)]),
    ),
    "",
  ];
}

/** So that a reader sees how much is Heddle's own. */
function ratios(record: BenchRecord, { isDurable }: Scenario, records: readonly BenchRecord[]): string {
  if (scenarioOf(record) === ECHO) return "";
  const { machine, server_cpu_us_per_delivery: cpuUs, p50_ms: p50Ms, p99_ms: p99Ms } = record;
  // By the same schedule where there is one: an echo at full load shares its wake-ups among many frames, and looks
  // cheaper.
  const scheduled = echoAtRate(record, records);
  const echoUs = (scheduled ?? floor(records, machine, ECHO))?.server_cpu_us_per_delivery;
  const sync = floor(records, machine, SYNC);
  const cells: string[] = [];
  if (cpuUs && echoUs) cells.push(`CPU ${times(cpuUs / echoUs)} an echo`);
  if (isDurable && sync?.p50_ms) {
    if (record.unit !== "ms") cells.push(`${short(record.value / sync.value)} per sync`);
    else if (p50Ms) cells.push(`p50 ${times(p50Ms / sync.p50_ms)} a sync`);
  }
  if (p99Ms && scheduled?.p99_ms) cells.push(`p99 ${times(p99Ms / scheduled.p99_ms)} an echo's`);
  return cells.join(", ");
}

/** The machine's floors in words, where they were measured. */
function floorsText(records: readonly BenchRecord[], machine: string): string {
  const echo = floor(records, machine, ECHO);
  const sync = floor(records, machine, SYNC);
  const echoText = echo ? `; a bare gRPC echo takes ${echo.server_cpu_us_per_delivery} µs of CPU` : "";
  const syncText = sync ? `; one synced write of 4 KiB takes ${sync.p50_ms} ms (p50)` : "";
  return echoText + syncText;
}

/** The newest of a bench on that machine: floors of another machine say nothing. */
function floor(records: readonly BenchRecord[], machine: string, bench: string): BenchRecord | undefined {
  return records.findLast((record) => record.bench === bench && record.machine === machine);
}

/** The echoes by the schedule of a record that has one. */
function echoAtRate(
  { machine, params }: BenchRecord,
  records: readonly BenchRecord[],
): BenchRecord | undefined {
  const rate = params.rate_per_s;
  if (rate === undefined) return undefined;
  return floor(
    records.filter((record) => record.params.rate_per_s === rate),
    machine,
    ECHO_AT_RATE,
  );
}

function times(ratio: number): string {
  return `${short(ratio)} ×`;
}

function short(ratio: number): string {
  return ratio.toLocaleString("en-US", { maximumSignificantDigits: 2 });
}

/** `latency.arrived` is of scenario `latency`. */
function scenarioOf({ bench }: BenchRecord): string {
  return bench.split(".")[0] ?? bench;
}

function when({ params }: BenchRecord): string {
  return String(params.at).replace("T", " ");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
