import type { Tick } from "../../../stream/each-tick.ts";

/** An event loop that turns when a test says so. */
export class ManualLoop {
  /** What the next turn runs, in the order in which it was scheduled. */
  #due: (() => void)[] = [];
  /** Waits for what comes from outside the loop, if anything does: a network's. */
  readonly #arrives: () => Promise<boolean>;

  constructor(arrives: () => Promise<boolean> = async () => false) {
    this.#arrives = arrives;
  }

  /** Given to code instead of `eventLoopTick`. */
  readonly tick: Tick = (run) => {
    this.#due.push(run);
  };

  /** Runs what is due now; what that schedules waits for the next turn. */
  turn(): void {
    const due = this.#due;
    this.#due = [];
    for (const run of due) run();
  }

  /** Turns, and lets promises settle, until nothing is due, or on its way. */
  async settle(): Promise<void> {
    do {
      this.turn();
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#due.length > 0 || (await this.#arrives()));
  }
}
