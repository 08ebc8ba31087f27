import type { Clock } from "../../../internal/base/clock.ts";
import {
  keepCertificates,
  type MeshCertificates,
} from "../../../internal/engines/certificates/kept-certificates.ts";
import type { MeshKeys } from "../../../internal/engines/certificates/kept-keys.ts";
import type { EngineProcess, RunningEngine } from "../../../internal/engines/engine.ts";
import type { Counts, Store } from "../plan/counts.ts";
import type { MeshFolder } from "../plan/mesh-folder.ts";
import type { Ports } from "../plan/ports.ts";
import type { ProgramPlan } from "../plan/program-plan.ts";
import type { RunningEngines } from "./engines.ts";
import { boundLog } from "./log-bounds.ts";
import type { Programs } from "./programs.ts";
import { type RestartRecord, Restarts } from "./restarts.ts";
import { type OnStep, runStep } from "./steps.ts";

export interface MeshInit {
  readonly paths: MeshFolder;
  readonly store: Store;
  readonly counts: Counts;
  readonly ports: Ports;
  readonly certificates: MeshCertificates;
  readonly keys: MeshKeys;
  readonly edgeUrl: string;
  readonly engines: RunningEngines;
  readonly programs: Programs;
  readonly clock: Clock;
  readonly restarts: boolean;
  readonly onLog: (line: string) => void;
}

const LOOK_AT_LOGS_MS = 10_000;
const LOOK_AT_CERTIFICATES_MS = 3_600_000;

/** A mesh that serves. */
export class Mesh {
  readonly paths: MeshFolder;
  readonly store: Store;
  readonly counts: Counts;
  readonly ports: Ports;
  readonly certificates: MeshCertificates;
  readonly keys: MeshKeys;
  /** What clients dial: `https://127.0.0.1:8443`. They trust `certificates.ca`. */
  readonly edgeUrl: string;
  readonly engines: RunningEngines;
  readonly programs: Programs;
  readonly #onLog: (line: string) => void;
  readonly #restarts: Restarts;
  readonly #looks = new Set<() => void>();
  #stopping: Promise<readonly string[]> | undefined;

  constructor(init: MeshInit) {
    this.paths = init.paths;
    this.store = init.store;
    this.counts = init.counts;
    this.ports = init.ports;
    this.certificates = init.certificates;
    this.keys = init.keys;
    this.edgeUrl = init.edgeUrl;
    this.engines = init.engines;
    this.programs = init.programs;
    this.#onLog = init.onLog;
    this.#restarts = new Restarts(init.clock, init.onLog);
    if (init.restarts) for (const part of this.#parts()) this.#restarts.watch(part);
    const { clock, paths, onLog } = init;
    this.#every(clock, LOOK_AT_LOGS_MS, () => {
      for (const { log } of this.processes()) void boundLog(log);
    });
    this.#every(clock, LOOK_AT_CERTIFICATES_MS, () => {
      keepCertificates(paths.folder, clock.nowMs()).then(
        ({ made }) => made.length > 0 && onLog(`certificates were renewed: ${made.join(", ")}`),
        (error: Error) => onLog(`certificates could not be renewed: ${error.message}`),
      );
    });
  }

  /** Every process that runs now, or ran last: engines, then programs. */
  processes(): readonly EngineProcess[] {
    return this.#parts().flatMap((part) => [...part.processes.values()]);
  }

  /** By its name, "push-1" or "etcd-2". Throws for a name that there is not. */
  process(name: string): EngineProcess {
    const found = this.processes().find((process) => process.name === name);
    if (!found) throw new Error(`the mesh has no process ${name}`);
    return found;
  }

  /** Starts one again that has ended, where `restarts` is off. Resolves when it serves. */
  async restart(name: string): Promise<void> {
    const part = this.#parts().find(({ processes }) => processes.has(name));
    if (!part) throw new Error(`the mesh has no process ${name}`);
    await part.restart(name);
  }

  /** What is known of a process that has ended without being asked; undefined of one that never did. */
  restarted(name: string): RestartRecord | undefined {
    return this.#restarts.of(name);
  }

  /** A program's settings. */
  envOf(name: string): ProgramPlan["env"] {
    const plan = this.programs.plans.get(name);
    if (!plan) throw new Error(`the mesh has no program ${name}`);
    return plan.env;
  }

  /**
   * Ends all in good order: programs drain, then Envoy, then the engines. Keeps the data. Resolves to the names of what it
   * ended; a second call waits for the first.
   */
  stop(onStep: OnStep = () => {}): Promise<readonly string[]> {
    this.#stopping ??= this.#stop(onStep);
    return this.#stopping;
  }

  async #stop(onStep: OnStep): Promise<readonly string[]> {
    this.#restarts.stop();
    for (const cancel of this.#looks) cancel();
    const running = this.processes().filter((process) => process.isRunning);
    const { etcd, postgres, hbase, envoy } = this.engines;
    const end = (step: string, parts: readonly (RunningEngine | undefined)[]) =>
      runStep(
        onStep,
        step,
        "ending",
        () => Promise.all(parts.map((part) => part?.stop())),
        () => "ended",
      );
    await end("programs", [this.programs]);
    for (const name of this.programs.killed) this.#onLog(`${name} did not end in time, and was killed`);
    await end("Envoy", [envoy]);
    await end(hbase ? "HBase, Postgres, etcd" : "Postgres, etcd", [hbase, postgres, etcd]);
    return running.map(({ name }) => name);
  }

  #every(clock: Clock, ms: number, look: () => void): void {
    let cancel = () => {};
    const again = () => {
      this.#looks.delete(cancel);
      cancel = clock.after(ms, () => {
        look();
        again();
      });
      this.#looks.add(cancel);
    };
    again();
  }

  #parts(): readonly RunningEngine[] {
    const { etcd, postgres, hbase, envoy } = this.engines;
    return [etcd, postgres, ...(hbase ? [hbase] : []), envoy, this.programs];
  }
}
