import type { Clock } from "../base/clock.ts";
import { storeUnavailable } from "../base/heddle-error.ts";
import { equalBytes } from "../base/ids.ts";
import type { Send, Settle } from "../base/send.ts";

interface OpenSend {
  readonly send: Pick<Send, "userId" | "clientId">;
  readonly expiresAtMs: number;
  readonly settle: Settle;
  /** Called when it has its outcome. */
  over?: () => void;
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
  takeSend(
    send: OpenSend["send"],
    settle: Settle,
  ): { readonly expiresAtMs: number; readonly settle: Settle } {
    const expiresAtMs = this.#clock.monotonicMs() + this.#expiresMs;
    const open: OpenSend = { send, expiresAtMs, settle };
    this.#open.add(open);
    if (!this.#isWaiting) this.#waitFor(this.#expiresMs);
    return {
      expiresAtMs: open.expiresAtMs,
      settle: (outcome) => {
        if (this.#open.delete(open)) end(open, outcome);
      },
    };
  }

  /** Resolves when no try of the send is open. */
  async settled(userId: string, clientId: Uint8Array): Promise<void> {
    for (const open of this.#open) {
      if (open.send.userId !== userId || !equalBytes(open.send.clientId, clientId)) continue;
      const { over } = open;
      await new Promise<void>((resolve) => {
        open.over = () => {
          over?.();
          resolve();
        };
      });
    }
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
      end(open, storeUnavailable("message"));
    }
  }
}

function end(open: OpenSend, outcome: Parameters<Settle>[0]): void {
  open.settle(outcome);
  open.over?.();
}
