/**
 * Time as an instance has lived through it: it does not pass while the instance's own check is overdue. A process that
 * was paused for δ thus prolongs every lease and every grace by δ, instead of taking everybody for gone whose digests
 * wait unread (docs/design.md, section 8).
 */
export class LiveTime {
  readonly #everyMs: number;
  #dueAtMs: number;
  #forgivenMs = 0;

  /** A check is to come every `everyMs`. Times are monotonic ms. */
  constructor(everyMs: number, monotonicMs: number) {
    this.#everyMs = everyMs;
    this.#dueAtMs = monotonicMs + everyMs;
  }

  /** The live time at a moment. */
  at(monotonicMs: number): number {
    const lateMs = monotonicMs - this.#dueAtMs;
    if (lateMs > 0) {
      this.#forgivenMs += lateMs;
      this.#dueAtMs = monotonicMs;
    }
    return monotonicMs - this.#forgivenMs;
  }

  /** The check has come: the next one is due `everyMs` from now. Returns the live time. */
  checked(monotonicMs: number): number {
    const liveMs = this.at(monotonicMs);
    this.#dueAtMs = monotonicMs + this.#everyMs;
    return liveMs;
  }
}
