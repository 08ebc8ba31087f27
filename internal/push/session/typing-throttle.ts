import { TYPING_EVERY_MS, TYPING_THREADS } from "../limits.ts";

/** Lets through one `typing` of a session per thread in TYPING_EVERY_MS. Times are monotonic ms. */
export class TypingThrottle {
  /** When one was let through, by thread in hex, the longest ago first. */
  readonly #passedAtMs = new Map<string, number>();

  /** Whether one may pass now. Of more than TYPING_THREADS threads at a time none may. */
  pass(thread: string, nowMs: number): boolean {
    for (const [other, atMs] of this.#passedAtMs) {
      if (nowMs - atMs < TYPING_EVERY_MS) break;
      this.#passedAtMs.delete(other);
    }
    if (this.#passedAtMs.has(thread) || this.#passedAtMs.size >= TYPING_THREADS) return false;
    this.#passedAtMs.set(thread, nowMs);
    return true;
  }
}
