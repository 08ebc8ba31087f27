import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";

/** Of one address the log tells so often at most, in ms: who is away is dialled every second. */
const TOLD_EVERY_MS = 30_000;

/** Addresses that are remembered. */
const MAX_ADDRESSES = 1_000;

/** Tells operators why links end, in the transport's words, such as a certificate that has run out. */
export class LinkEnds {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #toldAtMs = new Map<string, number>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  tell(service: string, address: string, why: string): void {
    const nowMs = this.#clock.monotonicMs();
    const atMs = this.#toldAtMs.get(address);
    if (atMs !== undefined && nowMs - atMs < TOLD_EVERY_MS) return;
    if (this.#toldAtMs.size >= MAX_ADDRESSES) this.#toldAtMs.clear();
    this.#toldAtMs.set(address, nowMs);
    this.#log.warn({ service, address, why }, "a link ended, or could not be opened");
  }
}
