import { setTimeout as delay } from "node:timers/promises";
import type { Child } from "./child.ts";
import {
  EngineError,
  type EngineProcess,
  type ProcessEnd,
  type Progress,
  type RunningEngine,
} from "./engine.ts";

const LOOK_EVERY_MS = 50;

/** One process of an engine of several: how it is started, and stopped. */
export interface Part {
  readonly name: string;
  /** Starts it. Called again for each restart: at the same addresses, on the same data. */
  start(): Promise<Child>;
  /** Resolves when it serves. Rejects with EngineError if it ends first, or takes too long. */
  serves(child: Child): Promise<void>;
  /** How long it has to end in order. */
  readonly stopMs: number;
  /** Whether one that was asked to end has written all, and may be killed in whatever it still does. */
  isDone?(child: Child): boolean;
}

/** Parts that are started, or stopped, side by side. */
export type Step = readonly Part[];

/** The processes of an engine of several parts, started and stopped in steps. */
export class Processes implements RunningEngine {
  readonly #children = new Map<string, Child>();
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #stops: readonly Step[];
  readonly #listeners: ((end: ProcessEnd) => void)[] = [];
  /** Nothing is started any more. */
  #isOver = false;
  #stopping: Promise<void> | undefined;

  private constructor(stops: readonly Step[]) {
    this.#stops = stops;
    this.#parts = new Map(stops.flat().map((part) => [part.name, part]));
  }

  /**
   * Starts the steps of `starts` one after another, each when the one before it serves, and stops in the steps of `stops`,
   * which name the same parts. If one fails, all are killed, and it rejects.
   */
  static async start(
    starts: readonly Step[],
    stops: readonly Step[],
    progress: Progress = () => {},
  ): Promise<Processes> {
    const processes = new Processes(stops);
    // One that ends while others start lets them wait in vain.
    const { promise: failed, reject } = Promise.withResolvers<never>();
    failed.catch(() => {});
    processes.onEnded(({ name, code, signal }) => {
      const words = processes.#children.get(name)?.lastWords();
      reject(new EngineError(`${name} ended with ${signal ?? code} during the start; ${words}`));
    });
    try {
      for (const step of starts) {
        progress(`starting ${step.map(({ name }) => name).join(", ")}`);
        await Promise.race([Promise.all(step.map((part) => processes.#startPart(part))), failed]);
      }
    } catch (error) {
      processes.#isOver = true;
      await processes.#killAll();
      throw error;
    }
    return processes;
  }

  get processes(): ReadonlyMap<string, EngineProcess> {
    return this.#children;
  }

  onEnded(listener: (end: ProcessEnd) => void): void {
    this.#listeners.push(listener);
  }

  /** The process of that name, for faults. Throws where there is none. */
  process(name: string): EngineProcess {
    const child = this.#children.get(name);
    if (!child)
      throw new EngineError(`no process is called ${name}: ${[...this.#children.keys()].join(", ")}`);
    return child;
  }

  async restart(name: string): Promise<void> {
    if (this.process(name).isRunning) return;
    if (this.#isOver) throw new EngineError(`${name} is not started again: all were stopped`);
    await this.#startPart(this.#parts.get(name) as Part);
  }

  stop(): Promise<void> {
    this.#isOver = true;
    this.#stopping ??= this.#stopInSteps();
    return this.#stopping;
  }

  async #startPart(part: Part): Promise<void> {
    const child = await part.start();
    this.#children.set(part.name, child);
    if (this.#isOver) child.killGroup();
    child.ended.then((end) => {
      if (!end.wasAsked) for (const listener of this.#listeners) listener(end);
    });
    await part.serves(child);
  }

  async #stopInSteps(): Promise<void> {
    for (const step of this.#stops) {
      await Promise.all(step.map((part) => this.#stopPart(part)));
    }
  }

  async #stopPart(part: Part): Promise<void> {
    const child = this.#children.get(part.name);
    const stopped = child?.stop(part.stopMs);
    while (part.isDone && child?.isRunning) {
      if (part.isDone(child)) child.killGroup();
      await Promise.race([child.ended, delay(LOOK_EVERY_MS)]);
    }
    await stopped;
  }

  async #killAll(): Promise<void> {
    const running = [...this.#children.values()];
    for (const child of running) child.killGroup();
    await Promise.all(running.map((child) => child.stop(0)));
  }
}
