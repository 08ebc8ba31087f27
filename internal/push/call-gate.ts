/** A call that waits for its turn. */
export interface GatedCall {
  /** Makes the call. Calls `done` of the gate exactly once per call. */
  callNow(): void;
  /** Whether it has lost interest while it waited. */
  readonly isOver: boolean;
}

/**
 * Lets a bounded number of calls of a kind be under way at a time, first come first served: after a restart, or when a
 * link is attached anew, every session compares and every membership is read again, and those who are asked must live
 * through that.
 */
export class CallGate {
  readonly #atOnce: number;
  #running = 0;
  #waiting: GatedCall[] = [];
  #next = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Calls back at once if there is room, else in turn. Each owner waits at most once, so the line is bounded. */
  enter(caller: GatedCall): void {
    this.#waiting.push(caller);
    this.#admit();
  }

  /** A call has ended, well or not. */
  done(): void {
    this.#running--;
    this.#admit();
  }

  #admit(): void {
    while (this.#running < this.#atOnce) {
      const caller = this.#waiting[this.#next];
      if (!caller) break;
      this.#next++;
      if (caller.isOver) continue;
      this.#running++;
      caller.callNow();
    }
    if (this.#next > 1_000 || this.#next === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }
}
