/** A rate limit that allows bursts: a bucket of tokens that refills steadily. Time is passed in, monotonic ms. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #atMs: number;

  /** Starts full. */
  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes one token; false, and nothing taken, if there is none. */
  takeToken(nowMs: number): boolean {
    return this.takeTokens(1, nowMs);
  }

  /** Takes `count` tokens; false, and nothing taken, if there are not so many. */
  takeTokens(count: number, nowMs: number): boolean {
    const refill = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + refill);
    this.#atMs = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
