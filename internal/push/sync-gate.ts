/** One who waits to ask for a page of Sync. */
export interface SyncCaller {
  /** Asks now. Calls `done` of the gate exactly once per call. */
  callSync(): void;
  /** Whether it has lost interest while it waited. */
  readonly isOver: boolean;
}

/**
 * Lets a bounded number of pages of Sync be asked for at a time, first come first served: after a restart, or when a
 * link is attached anew, every session compares, and the thread service must live through that.
 */
export class SyncGate {
  readonly #atOnce: number;
  #running = 0;
  #waiting: SyncCaller[] = [];
  #next = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Calls back at once if there is room, else in turn. Each session waits at most once, so the line is bounded. */
  enter(caller: SyncCaller): void {
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
      caller.callSync();
    }
    if (this.#next > 1_000 || this.#next === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }
}
