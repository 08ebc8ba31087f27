import { OFFLINE_AFTER_MS, ONLINE_AFTER_MS } from "./limits.ts";

/**
 * What is shown of one user, from when sessions were there (docs/design.md, section 8). Online is shown when there has
 * been a session for ONLINE_AFTER_MS without a gap, offline OFFLINE_AFTER_MS after the last one ended. Times are passed
 * in, of one clock, in ms; they may lie back, but what is told in order of time shows no flip that was not there.
 */
export class ShownStatus {
  #isOnline = false;
  #isPresent = false;
  /** While present: since when without a gap. */
  #presentSinceMs = 0;
  /** When a session last ended, the last one or not. */
  #downAtMs = Number.NEGATIVE_INFINITY;

  /** Whether online is shown. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Whether time alone will change what is shown. */
  get isMoving(): boolean {
    return this.#isOnline !== this.#isPresent;
  }

  /** There is a session, which began at `atMs`. */
  up(atMs: number): void {
    if (this.#isPresent) {
      this.#presentSinceMs = Math.min(this.#presentSinceMs, atMs);
      return;
    }
    // One that began before the last one ended leaves no gap.
    if (atMs > this.#downAtMs) this.settle(atMs);
    this.#isPresent = true;
    this.#presentSinceMs = atMs;
  }

  /** A session ended at `atMs`; `isLast`: there is no other. */
  down(atMs: number, isLast: boolean): void {
    const endMs = Math.max(atMs, this.#downAtMs);
    if (isLast) {
      this.settle(endMs);
      this.#isPresent = false;
    }
    this.#downAtMs = endMs;
  }

  /** A session that was heard of first when it was over, while there is no other. Repeats do no harm. */
  past(startMs: number, endMs: number): void {
    if (endMs <= this.#downAtMs) return;
    this.up(startMs);
    this.down(endMs, true);
  }

  /** The lease of the last session ran out: no grace on top, but that of a session that was seen to end. */
  lost(nowMs: number): void {
    this.settle(nowMs);
    this.#isPresent = false;
    this.settle(nowMs);
  }

  /** What time has changed. */
  settle(nowMs: number): void {
    if (this.#isPresent) {
      if (nowMs - this.#presentSinceMs >= ONLINE_AFTER_MS) this.#isOnline = true;
    } else if (nowMs - this.#downAtMs >= OFFLINE_AFTER_MS) {
      this.#isOnline = false;
    }
  }
}
