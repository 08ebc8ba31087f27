import type { Clock } from "../base/clock.ts";

/** How late a deadline may be noticed, in ms: one timer serves all calls instead of one each. */
const TICK_MS = 250;

/** A look that comes so much too late, in ms, tells that the process stood still meanwhile. */
const STOOD_STILL_MS = 50;

/**
 * Bounds calls in time with one shared timer. A call that is too late is given up on, not stopped. What fell due while
 * the process stood still is given up on a look later: its timers come before its input, and the answer may be there.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #ticking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The promise's outcome, or a rejection with `late()` once `ms` (and up to a quarter second more) have passed. */
  bound<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { atMs: this.#clock.monotonicMs() + ms, expire: () => reject(late()) };
      this.#waiting.add(waiting);
      this.#tick();
      promise.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(value);
        },
        (error) => {
          this.#waiting.delete(waiting);
          reject(error);
        },
      );
    });
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    const beforeMs = this.#clock.monotonicMs();
    this.#clock.after(TICK_MS, () => {
      this.#ticking = false;
      const nowMs = this.#clock.monotonicMs();
      const dueMs = nowMs - beforeMs > TICK_MS + STOOD_STILL_MS ? beforeMs : nowMs;
      for (const waiting of this.#waiting) {
        if (waiting.atMs > dueMs) continue;
        this.#waiting.delete(waiting);
        waiting.expire();
      }
      if (this.#waiting.size > 0) this.#tick();
    });
  }
}

interface Waiting {
  readonly atMs: number;
  readonly expire: () => void;
}
