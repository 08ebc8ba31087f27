import { Latencies } from "../counts/latency.ts";

/** Work that is done over and over by so many workers at a time, and timed: a closed window at full load. */
export abstract class ClosedLoop {
  readonly #latencies = new Latencies();
  #count = 0;
  #isRunning = false;
  #running: Promise<unknown> = Promise.resolve();
  #problem: unknown;

  /** How often the work has been done so far. Throws if it failed. */
  done(): number {
    if (this.#problem !== undefined) throw this.#problem;
    return this.#count;
  }

  /** Forgets the latencies so far: what was warm-up. */
  resetLatencies(): void {
    this.#latencies.reset();
  }

  /** How long each took, as text, for Latencies' constructor. */
  latencies(): string {
    return this.#latencies.encode();
  }

  /** Resolves when what is under way has ended. Rejects if some work failed. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
    this.done();
  }

  /** Starts the workers: each does its work again and again until `stop`, or until one fails. */
  protected begin(workers: readonly (() => Promise<void>)[]): void {
    this.#isRunning = true;
    this.#running = Promise.all(workers.map((work) => this.#repeat(work))).catch((error) => {
      this.#isRunning = false;
      // The first: what fails after it fails because of it.
      this.#problem ??= error;
    });
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (this.#isRunning) {
      const startedMs = performance.now();
      await work();
      this.#latencies.add(performance.now() - startedMs);
      this.#count++;
    }
  }
}
