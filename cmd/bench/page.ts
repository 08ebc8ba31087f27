import { COLUMNS, cellsOf } from "./figures-text.ts";
import type { BenchRecord } from "./record.ts";
import type { Scenario } from "./scenario.ts";

/**
 * docs/bench.md: the newest record of every figure, by scenario, with the machine, and for each the commit, the moment
 * and the command that measures it again.
 */
export function benchPage(records: readonly BenchRecord[], scenarios: readonly Scenario[]): string {
  const machines = [...new Set(records.map(({ machine }) => machine))];
  return [
    "# Figures",
    "",
    "Written by `make bench` from its records; not to be edited. Load and server share the machine, as separate " +
      "processes on 127.0.0.1; the server is `bin/heddle`, everything in one process on embedded stores, each append " +
      "synced to the disk. “CPU each” is the server's own user plus system time, all threads, per unit of the value. " +
      "Latencies count from the moment a send was due. “others cores”: how many cores other processes and the kernel " +
      "kept busy meanwhile.",
    "",
    ...machines.map((machine) => `- Machine: ${machine}${syncFloor(records, machine)}`),
    "",
    ...scenarios.flatMap((scenario) => section(scenario, records)),
    ...ratios(records),
  ].join("\n");
}

function section(scenario: Scenario, records: readonly BenchRecord[]): string[] {
  const own = records.filter((record) => scenarioOf(record) === scenario.name);
  if (own.length === 0) return [];
  const columns = [...COLUMNS, "commit", "when", "command"];
  return [
    `## ${scenario.name}`,
    "",
    scenario.about,
    "",
    row(columns),
    row(columns.map(() => "---")),
    ...own.map((record) =>
      row([...cellsOf(record), record.commit, when(record), `\`make bench ONLY=${scenario.name}\``]),
    ),
    "",
  ];
}

/** Beside the floors, so that a reader sees how much is Heddle's own. */
function ratios(records: readonly BenchRecord[]): string[] {
  const find = (bench: string) => records.findLast((record) => record.bench === bench);
  const [direct, echo, sync] = [find("direct"), find("floor-stream"), find("floor-sync")];
  const lines: string[] = [];
  const [cpu, floor] = [direct?.server_cpu_us_per_delivery, echo?.server_cpu_us_per_delivery];
  if (cpu && floor)
    lines.push(`- A delivered message costs ${(cpu / floor).toFixed(1)} times the CPU of a bare gRPC echo.`);
  if (direct && sync)
    lines.push(
      `- ${(direct.value / sync.value).toFixed(1)} durable messages per sync that the disk does one by one.`,
    );
  return lines.length > 0 ? ["## Against the floors", "", ...lines, ""] : [];
}

function syncFloor(records: readonly BenchRecord[], machine: string): string {
  const sync = records.findLast((record) => record.bench === "floor-sync" && record.machine === machine);
  return sync ? `; one synced write of 4 KiB takes ${sync.p50_ms} ms (p50)` : "";
}

function scenarioOf({ bench }: BenchRecord): string {
  return bench.split(".")[0] ?? bench;
}

function when({ params }: BenchRecord): string {
  return String(params.at).replace("T", " ");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
