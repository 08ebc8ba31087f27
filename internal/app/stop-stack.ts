import type { Logger } from "../base/log.ts";

/** What must be undone, last first. One for a program: each part puts its own stop on it once it has started. */
export class StopStack {
  readonly #log: Logger;
  readonly #stops: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  /** Set at the first call: a second signal, or a start that fails while it stops, waits for the same end. */
  #unwinding: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Adds a stop. `name` stands in the log if it fails. */
  add(name: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ name, stop });
  }

  /** Runs every stop, last first, one after the other. One that fails is logged and does not hold up the others. */
  unwind(): Promise<void> {
    this.#unwinding ??= this.#run();
    return this.#unwinding;
  }

  async #run(): Promise<void> {
    // One after the other: a store is closed only when nothing writes to it any more.
    for (const { name, stop } of this.#stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        this.#log.error({ err: error, part: name }, "stopping failed");
      }
    }
  }
}
