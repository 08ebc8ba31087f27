/** The first ceiling of a wait, in milliseconds. */
const FIRST_MS = 200;
/** The highest ceiling: how stale "offline" may get when the server is back. */
const LAST_MS = 30_000;

/**
 * Waits between tries: exponential with full jitter, so that clients which lost a server together do not come back
 * together.
 */
export class Backoff {
  readonly #random: () => number;
  #tries = 0;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The next wait in milliseconds: what the server asked for (0: nothing), plus a share of a growing ceiling. */
  nextDelayMs(askedMs = 0): number {
    const ceiling = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(this.#tries, 16));
    this.#tries += 1;
    return askedMs + Math.floor(this.#random() * ceiling);
  }

  /** Starts over, after a success. */
  reset(): void {
    this.#tries = 0;
  }
}
