import type { Clock } from "../../base/clock.ts";

/** When acknowledgements take longer than this, in ms, marked topics are compared without waiting for them … */
const ACKS_LATE_MS = 5_000;

/** … and again so often, in ms. */
const COMPARE_EVERY_MS = 10_000;

/**
 * Topics that are to be compared once more when every instance of the ring has acknowledged its number, and every ten
 * seconds until then.
 */
export class MarkedTopics<T> {
  readonly #clock: Clock;
  readonly #compare: (topic: T) => void;
  readonly #marked = new Set<T>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, compare: (topic: T) => void) {
    this.#clock = clock;
    this.#compare = compare;
  }

  add(topic: T): void {
    this.#marked.add(topic);
    this.#cancel ??= this.#clock.after(ACKS_LATE_MS, () => this.late());
  }

  delete(topic: T): void {
    this.#marked.delete(topic);
    if (this.#marked.size === 0) this.close();
  }

  /** All have acknowledged: compares what is marked, which is nothing then. */
  settle(): void {
    const topics = [...this.#marked];
    this.close();
    for (const topic of topics) this.#compare(topic);
  }

  close(): void {
    this.#marked.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  protected late(): void {
    this.#cancel = this.#clock.after(COMPARE_EVERY_MS, () => this.late());
    for (const topic of [...this.#marked]) this.#compare(topic);
  }
}
