import type { Clock } from "../base/clock.ts";
import { APPEND_MS, type Budget } from "../rpc/links/budget.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import { Deadlines } from "../stream/deadlines.ts";

/**
 * The time in which a message server answers what appends to a log: APPEND_MS, or what is left of the asking server's
 * budget, whichever is less. So the answer is there before who asks gives up.
 */
export class AppendDeadline {
  readonly #deadlines: Deadlines;

  constructor(clock: Clock) {
    this.#deadlines = new Deadlines(clock);
  }

  /**
   * Settles as the append does. One that takes longer rejects with PEER_UNAVAILABLE, which leaves the outcome unknown: it
   * goes on, and may still commit.
   */
  bound<T>(append: Promise<T>, budget: Budget): Promise<T> {
    return this.#deadlines.bound(append, budget.part(APPEND_MS).leftMs, () => peerUnavailable("message"));
  }
}
