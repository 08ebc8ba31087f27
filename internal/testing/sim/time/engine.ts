import { assertIdle, inTurns, setMachine } from "./guard.ts";
import { SimRandom } from "./sim-random.ts";
import { TimeQueue } from "./time-queue.ts";

/** When a simulation begins: Unix milliseconds. */
export const EPOCH_MS = 1_700_000_000_000;

/** One life of a simulated process. A restart is another one. */
export interface Life {
  readonly name: string;
  isAlive: boolean;
  /** Until then nothing of it runs, in simulated ms; what comes waits. */
  pausedUntilMs: number;
}

/** Steps between two looks at what this process waits for. */
const LOOK_EVERY = 512;

/**
 * Simulated time. Each step runs one callback of one simulated process, then all microtasks that follow from it, and
 * only then does time go on: what happens, and in which order, is decided by the seed alone.
 */
export class Engine {
  readonly random: SimRandom;
  /** The process whose step runs. */
  current: Life | undefined;
  /** Steps done. */
  steps = 0;
  readonly #queue = new TimeQueue<Life | undefined>();
  #nowMs = 0;

  constructor(seed: string) {
    this.random = new SimRandom(seed);
    const bytes = this.random.fork("bytes");
    setMachine({
      nowMs: () => EPOCH_MS + this.#nowMs,
      random: () => bytes.fraction(),
      soon: (run) => void this.at(this.#nowMs, this.current, run),
    });
  }

  /** Simulated ms since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs a callback in a step of a process, unless that is dead by then. Returns how to cancel it. */
  at(atMs: number, life: Life | undefined, run: () => void): () => void {
    return this.#queue.add(Math.max(atMs, this.#nowMs), life, run);
  }

  /** As `at`, `ms` from now. */
  after(ms: number, life: Life | undefined, run: () => void): () => void {
    return this.at(this.#nowMs + ms, life, run);
  }

  /** Does every step until a moment. */
  async runUntil(endMs: number): Promise<void> {
    await inTurns(() => this.#step(endMs));
    this.#nowMs = endMs;
  }

  /** Does the next step that is due by then; false if there is none. */
  #step(endMs: number): boolean {
    this.current = undefined;
    const step = this.#queue.takeUntil(endMs);
    if (!step) return false;
    this.#nowMs = step.atMs;
    this.steps += 1;
    if (this.steps % LOOK_EVERY === 0) assertIdle();
    this.#begin(step.whose, step.run);
    return true;
  }

  #begin(life: Life | undefined, run: () => void): void {
    if (life && !life.isAlive) return;
    if (life && life.pausedUntilMs > this.#nowMs) {
      this.#queue.add(life.pausedUntilMs, life, run);
      return;
    }
    this.current = life;
    run();
  }
}
