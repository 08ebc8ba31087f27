import { join } from "node:path";
import { cacheFolder } from "../../../internal/base/cache-folder.ts";
import { Child } from "../../../internal/engines/child.ts";
import type { ProcessEnd, RunningEngine } from "../../../internal/engines/engine.ts";
import { isListening, until } from "../../../internal/engines/until.ts";
import type { ProgramService } from "../plan/counts.ts";
import { type ProgramPlan, programMain } from "../plan/program-plan.ts";
import { askAdmin } from "./admin-port.ts";

/** From nothing to /readyz: a second of work each, when a dozen share two cores. */
const READY_MS = 90_000;
/** Above the programs' own drain. */
const STOP_MS = 15_000;

/** Which end before others: first those that hold clients, and last those by which the others find one another. */
const STOP_ORDER: readonly (readonly ProgramService[])[] = [
  ["push"],
  ["gateway", "message", "thread", "presence"],
  ["channel", "controlplane"],
];

/** How one is started: the file, and what stands before it on the command line. Tests have smaller ones. */
export type ProgramCommand = (service: ProgramService) => readonly string[];

/** Heddle's own, with a heap that fits a machine that runs all of them. */
export const heddleProgram: ProgramCommand = (service) => [
  "--disable-warning=ExperimentalWarning",
  `--max-old-space-size=${HEAP_MB}`,
  `--max-semi-space-size=${SEMI_SPACE_MB}`,
  programMain(service),
  "--json",
];

const HEAP_MB = 256;
const SEMI_SPACE_MB = 8;

/** The programs of a mesh, all in the shape of one engine, so that one thing supervises all. */
export class Programs implements RunningEngine {
  readonly processes = new Map<string, Child>();
  readonly #plans = new Map<string, ProgramPlan>();
  readonly #logs: string;
  readonly #command: ProgramCommand;
  readonly #listeners: ((end: ProcessEnd) => void)[] = [];
  readonly #killed: string[] = [];
  #isStopped = false;

  constructor(logs: string, command: ProgramCommand) {
    this.#logs = logs;
    this.#command = command;
  }

  /** By name, as they were started. */
  get plans(): ReadonlyMap<string, ProgramPlan> {
    return this.#plans;
  }

  /** Which did not end in time when they were stopped, and were killed. */
  get killed(): readonly string[] {
    return this.#killed;
  }

  /** Starts one, and resolves when it is ready. */
  async start(plan: ProgramPlan): Promise<void> {
    this.#plans.set(plan.name, plan);
    await this.restart(plan.name);
  }

  onEnded(listener: (end: ProcessEnd) => void): void {
    this.#listeners.push(listener);
  }

  /** Starts one that does not run, at its own addresses, and resolves when it says that it is ready. */
  async restart(name: string): Promise<void> {
    const plan = this.#plans.get(name);
    if (!plan) throw new Error(`the mesh has no program ${name}`);
    if (this.#isStopped || this.processes.get(name)?.isRunning) return;
    const child = await Child.start({
      name,
      command: process.execPath,
      args: this.#command(plan.service),
      log: join(this.#logs, `${name}.log`),
      env: {
        ...withoutHeddles(process.env),
        NODE_COMPILE_CACHE: join(cacheFolder(), "compiled"),
        ...plan.env,
      },
      orphanSignal: "TERM",
    });
    this.processes.set(name, child);
    child.ended.then((end) => {
      if (!end.wasAsked) for (const listener of this.#listeners) listener(end);
    });
    await until(child, "it was ready", () => isReady(plan.adminPort), READY_MS);
  }

  /** Those of a service end side by side, the services one after another. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const services of STOP_ORDER) {
      const ending = [...this.#plans.values()].filter(({ service }) => services.includes(service));
      const stopping = ending.map(async ({ name }) => {
        const inTime = await this.processes.get(name)?.stop(STOP_MS);
        if (inTime === false) this.#killed.push(name);
      });
      await Promise.all(stopping);
    }
  }
}

/** Whether `/readyz` says so. A program that is not there yet costs no more than a refused connection. */
async function isReady(port: number): Promise<boolean> {
  if (!(await isListening(port))) return false;
  return await askAdmin(port, "/readyz").then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** What a person set for other programs of ours must not reach these. */
function withoutHeddles(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("HEDDLE_")));
}
