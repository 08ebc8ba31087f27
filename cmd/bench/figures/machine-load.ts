import { cpus } from "node:os";

/** CPU that every process of this machine has used since it started, in core seconds. */
export function machineCpuSeconds(): number {
  const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return busyMs / 1_000;
}

/** CPU used so far, in core seconds: by all, by the server, by the loads. */
export interface CpuReading {
  readonly atMs: number;
  readonly machine: number;
  readonly server: number;
  readonly loads: number;
}

/** How many cores each kept busy between two readings. */
export interface CoresBusy {
  readonly server: number;
  readonly loads: number;
  /** Neither server nor load: what disturbs the figures. */
  readonly others: number;
}

/** Others is what is left, the kernel's own work (syncs, for one) included; a rounding below 0 is 0. */
export function coresBusy(before: CpuReading, after: CpuReading): CoresBusy {
  const seconds = (after.atMs - before.atMs) / 1_000;
  const busy = (pick: (reading: CpuReading) => number) => (pick(after) - pick(before)) / seconds;
  const [server, loads] = [busy((reading) => reading.server), busy((reading) => reading.loads)];
  return { server, loads, others: Math.max(0, busy(({ machine }) => machine) - server - loads) };
}
