import { hash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { Caller } from "../calls/handlers.ts";

/** Tokens remembered at a time, each by its SHA-256: a token may have 8 KiB. */
const MAX_TOKENS = 10_000;

/** A withdrawn key stops to count within this time, in milliseconds. */
const MAX_AGE_MS = 5 * 60_000;

/**
 * Remembers tokens that were found good, because unary calls and Submit repeat theirs: verifying costs 100–200 µs,
 * finding it here less than one. Only good tokens are kept, each until it expires.
 */
export class VerifiedTokens {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly caller: Caller; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The caller that a token stands for; verifies it if it is not known. Rejects as `verify` does. */
  async caller(token: string, verify: (token: string) => Promise<Caller>): Promise<Caller> {
    const key = keyOf(token);
    const known = this.#known.get(key);
    if (known && this.#clock.nowMs() < known.untilMs) return known.caller;
    this.#known.delete(key);
    const caller = await verify(token);
    this.remember(token, caller);
    return caller;
  }

  /**
   * Remembers a token that is good, because it was verified or signed here. In order of arrival: the oldest goes first,
   * and costs its owner one verification.
   */
  remember(token: string, caller: Caller): void {
    if (this.#known.size >= MAX_TOKENS) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(keyOf(token), {
      caller,
      untilMs: Math.min(caller.expiresAtMs, this.#clock.nowMs() + MAX_AGE_MS),
    });
  }
}

function keyOf(token: string): string {
  return hash("sha256", token, "base64");
}
