/** Runs a callback once, in the next turn of the event loop. Injected, so that tests turn the loop by hand. */
export type Tick = (run: () => void) => void;

const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };

/** The machine's event loop: after the I/O of this turn where the platform can say so, else as soon as a timer may. */
export const eventLoopTick: Tick = (run) => {
  if (setImmediate) setImmediate(run);
  else setTimeout(run, 0);
};

/**
 * Collects items and hands each to `run` in the next tick: one scheduled callback for all of them, and no closure per
 * item. An item added twice is handed over twice; owners keep a flag. What `run` adds waits for the tick after.
 */
export class EachTick<T> {
  readonly #tick: Tick;
  readonly #run: (item: T) => void;
  #items: T[] = [];

  constructor(tick: Tick, run: (item: T) => void) {
    this.#tick = tick;
    this.#run = run;
  }

  add(item: T): void {
    if (this.#items.push(item) === 1) this.#tick(this.#turn);
  }

  readonly #turn = (): void => {
    const items = this.#items;
    this.#items = [];
    for (const item of items) this.#run(item);
  };
}
