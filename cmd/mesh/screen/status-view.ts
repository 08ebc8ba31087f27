import type { ProcessStatus, SupervisorStatus } from "../control/messages.ts";
import { PROGRAMS, type ProgramService } from "../plan/counts.ts";
import { type Metrics, type Probe, sumOf } from "./probe.ts";

/** One process in the table, and in `--json`. */
export interface StatusRow {
  readonly name: string;
  /** The word of its service; undefined for an engine's process. */
  readonly service: ProgramService | undefined;
  readonly pid: number;
  /** "ready", "runs" (an engine, which says no more), "ended", or why it is not ready. */
  readonly state: string;
  readonly restarts: number;
  /** How it ended last, "SIGKILL", if it ever did without being asked. */
  readonly lastEnd: string | undefined;
  /** Memory in bytes, of what it shares with others its part; undefined if it is not known. */
  readonly memoryBytes: number | undefined;
  /** By how much its event loop is late, 99 of 100 times less, in ms. */
  readonly loopLagMs: number | undefined;
  /** Client streams that a push server holds. */
  readonly streams: number | undefined;
  /** Topics of which an event may not have reached everybody yet: of message and thread servers. */
  readonly repairTopics: number | undefined;
  readonly log: string;
}

/** What `mesh-status` shows. */
export interface MeshStatus {
  readonly store: string | undefined;
  readonly edgeUrl: string | undefined;
  readonly supervisorPid: number;
  readonly isReady: boolean;
  readonly upMs: number | undefined;
  readonly rows: readonly StatusRow[];
  /** How many of each service are registered, as each program sees it: one entry if all agree. */
  readonly rings: Readonly<Record<string, readonly number[]>>;
}

/** Puts together what the supervisor and the programs say. `memoryOf` is asked for a process's bytes. */
export function meshStatus(
  supervisor: SupervisorStatus,
  probes: ReadonlyMap<string, Probe>,
  nowMs: number,
  memoryOf: (pid: number) => number | undefined,
): MeshStatus {
  const { ready, pid, processes } = supervisor;
  const rows = processes.map((process) => rowOf(process, probes.get(process.name), memoryOf));
  return {
    store: ready?.store,
    edgeUrl: ready?.edgeUrl,
    supervisorPid: pid,
    isReady: ready !== undefined && rows.every(({ state }) => state === "runs" || state.startsWith("ready")),
    upMs: ready && nowMs - ready.sinceMs,
    rows,
    rings: ringsOf([...probes.values()].map(({ metrics }) => metrics)),
  };
}

/** The word of a program's service, by its name. */
export function serviceOf(name: string): ProgramService | undefined {
  return PROGRAMS.find((service) => name.replace(/-\d+$/, "") === service);
}

function stateOf(
  { isRunning, restarted }: ProcessStatus,
  service: ProgramService | undefined,
  probed: Probe | undefined,
): string {
  if (!isRunning) return restarted?.failed === undefined ? "ended" : `ended, ${firstLine(restarted.failed)}`;
  if (service === undefined) return restarted?.isAway ? "starts again" : "runs";
  return probed?.readiness ?? (restarted?.isAway ? "starts again" : "does not answer");
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

function rowOf(
  process: ProcessStatus,
  probed: Probe | undefined,
  memoryOf: (pid: number) => number | undefined,
): StatusRow {
  const { name, pid, isRunning, log, restarted } = process;
  const service = serviceOf(name);
  const metrics = probed?.metrics ?? new Map();
  const lag = sumOf(metrics, "nodejs_eventloop_lag_p99_seconds");
  return {
    name,
    service,
    pid,
    state: stateOf(process, service, probed),
    restarts: restarted?.restarts ?? 0,
    lastEnd: restarted?.why,
    memoryBytes: isRunning ? memoryOf(pid) : undefined,
    loopLagMs: lag === undefined ? undefined : lag * 1_000,
    streams: sumOf(metrics, "heddle_push_sessions"),
    repairTopics: sumOf(metrics, "heddle_channel_repair_topics"),
    log,
  };
}

function ringsOf(all: readonly Metrics[]): Record<string, readonly number[]> {
  const rings: Record<string, readonly number[]> = {};
  for (const service of PROGRAMS) {
    const counts = all.flatMap((metrics) => {
      const count = sumOf(metrics, "heddle_registry_members", `service="${service}"`);
      return count === undefined ? [] : [count];
    });
    if (counts.length > 0) rings[service] = [...new Set(counts)].sort((a, b) => a - b);
  }
  return rings;
}

const NARROWEST = 40;

/** The one screen, cut to its width: what matters most stands first in each line. */
export function statusLines(status: MeshStatus, columns = 80): readonly string[] {
  const { rows, rings, store, edgeUrl, upMs } = status;
  const head = status.isReady ? `Ready for ${duration(upMs ?? 0)}` : "NOT ALL IS READY";
  const sums = sumLine(rows);
  return [
    `${head}: Heddle's mesh, STORE=${store ?? "?"}, ${edgeUrl ?? "no address yet"}`,
    "",
    `${"".padEnd(16)} ${"pid".padStart(7)} ${"MB".padStart(5)} ${"lag ms".padStart(6)}  state`,
    ...rows.map(line),
    "",
    `ring     ${ringLine(rings)}`,
    `sums     ${sums}`,
  ].map((text) => cut(text, Math.max(NARROWEST, columns)));
}

function line(row: StatusRow): string {
  const memory = row.memoryBytes === undefined ? "" : `${Math.round(row.memoryBytes / 1_048_576)}`;
  const lag = row.loopLagMs === undefined ? "" : row.loopLagMs.toFixed(0);
  const more = [
    row.state,
    row.streams === undefined ? "" : `${row.streams} streams`,
    row.repairTopics ? `${row.repairTopics} topics to repair` : "",
    row.lastEnd === undefined ? "" : `restarted ${row.restarts}×, last end ${row.lastEnd}`,
  ].filter((text) => text !== "");
  return `${row.name.padEnd(16)} ${`${row.pid}`.padStart(7)} ${memory.padStart(5)} ${lag.padStart(6)}  ${more.join(", ")}`;
}

function ringLine(rings: MeshStatus["rings"]): string {
  const parts = Object.entries(rings).map(([service, counts]) => `${counts.join(" or ")} ${service}`);
  const isAgreed = Object.values(rings).every((counts) => counts.length === 1);
  return `${isAgreed ? "all programs agree" : "THE PROGRAMS SEE DIFFERENT RINGS"}: ${parts.join(", ")}`;
}

function sumLine(rows: readonly StatusRow[]): string {
  const sum = (of: (row: StatusRow) => number | undefined) =>
    rows.reduce((all, row) => all + (of(row) ?? 0), 0);
  const memory = Math.round(sum((row) => row.memoryBytes) / 1_048_576);
  const repairs = sum((row) => row.repairTopics);
  return `${rows.length} processes, ${memory} MB, ${sum((row) => row.streams)} streams, ${repairs} topics to repair`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
