import type { Clock } from "../base/clock.ts";
import { storeUnavailable } from "../base/heddle-error.ts";
import type { Settle } from "../base/send.ts";

interface OpenSend {
  readonly expiresAtMs: number;
  readonly settle: Settle;
}

/**
 * The sends that have no outcome yet, and the one timer that gives them one when their time is over, whatever holds
 * them up: a round of their thread may last longer than that, since each of its calls has a deadline of its own. Such a
 * send is unknown (STORE_UNAVAILABLE, never `committed=never`): it may be in a batch that is being tried.
 */
export class OpenSends {
  readonly #clock: Clock;
  readonly #expiresMs: number;
  /** The oldest first. */
  readonly #open = new Set<OpenSend>();
  #isWaiting = false;

  /** `expiresMs` is how long a send may take, in ms. */
  constructor(clock: Clock, expiresMs: number) {
    this.#clock = clock;
    this.#expiresMs = expiresMs;
  }

  /** Takes a send in, and returns what is to be called with its outcome: only the first one is passed on. */
  take(settle: Settle): { readonly expiresAtMs: number; readonly settle: Settle } {
    const open = { expiresAtMs: this.#clock.monotonicMs() + this.#expiresMs, settle };
    this.#open.add(open);
    if (!this.#isWaiting) this.#waitFor(this.#expiresMs);
    return {
      expiresAtMs: open.expiresAtMs,
      settle: (outcome) => {
        if (this.#open.delete(open)) settle(outcome);
      },
    };
  }

  #waitFor(ms: number): void {
    this.#isWaiting = true;
    this.#clock.after(ms, () => this.#expire());
  }

  #expire(): void {
    this.#isWaiting = false;
    const nowMs = this.#clock.monotonicMs();
    for (const open of this.#open) {
      if (open.expiresAtMs > nowMs) {
        this.#waitFor(open.expiresAtMs - nowMs);
        return;
      }
      this.#open.delete(open);
      open.settle(storeUnavailable("message"));
    }
  }
}
