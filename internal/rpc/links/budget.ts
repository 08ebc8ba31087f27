import type { Clock } from "../../base/clock.ts";

/** A push server gives a send so long, in ms. */
export const SEND_MS = 10_000;
/** The message service gives a send so long, in ms, so that its answer arrives within the push server's. */
export const APPEND_MS = 8_000;
/** A message service that is asked over links settles a send so long after it came, in ms: before the link speaks for it. */
export const SETTLE_MS = 7_500;
/** Any other call between programs, in ms. */
export const CALL_MS = 5_000;

/** What is kept back of a budget for the answer's way, in ms. */
const WAY_MS = 250;

/**
 * How long somebody still waits for an answer. What is asked further on gets a part of it, so that the one further
 * away gives up first and its word arrives in time: 10 s at the push server, 8 s of it at the message service, 3 s for
 * a call of a store, which a store on another machine bounds itself.
 */
export class Budget {
  readonly #clock: Clock;
  readonly #untilMs: number;

  /** `ms` from now, by this process's own clock: moments do not cross links, only what is left does. */
  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#untilMs = clock.monotonicMs() + ms;
  }

  /** What is left, in ms; 0 when it is spent. */
  get leftMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.monotonicMs());
  }

  /** For what is done on behalf of it: at most `limitMs`, and less than is left here. */
  part(limitMs: number): Budget {
    return new Budget(this.#clock, Math.min(limitMs, Math.max(0, this.leftMs - WAY_MS)));
  }
}
