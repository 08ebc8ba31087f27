import type { Engine, Life } from "../time/engine.ts";
import type { SimRandom } from "../time/sim-random.ts";

/** How the way between a device and the servers is. Shared by all that goes over it; faults change it. */
export interface Way {
  /** One-way delay without jitter, in ms. */
  delayMs: number;
  /** Until then all takes SLOW_MS. Simulated ms. */
  slowUntilMs: number;
  /** Until then all that is said on it is lost, and nobody is told: half-open. Simulated ms. */
  silentUntilMs: number;
  /** Until then nothing gets a connection. Simulated ms. */
  awayUntilMs: number;
}

/** What a slow way takes, in ms: more than what else happens between two servers, less than an answer is waited for. */
const SLOW_MS = 200;

/** How often each fault met something. */
export type Bites = Map<string, number>;

/** Counts that a fault met something. */
export function bite(bites: Bites, fault: string): void {
  bites.set(fault, (bites.get(fault) ?? 0) + 1);
}

/** One direction of a connection: what is said arrives in order, later, or not at all once the connection is broken. */
export class OneWay {
  readonly #engine: Engine;
  readonly #random: SimRandom;
  readonly #way: Way;
  readonly #bites: Bites;
  #lastMs = 0;
  isBroken = false;

  constructor(engine: Engine, random: SimRandom, way: Way, bites: Bites) {
    this.#engine = engine;
    this.#random = random;
    this.#way = way;
    this.#bites = bites;
  }

  /** Runs `arrive` in a step of `to`, unless the connection breaks before. */
  carry(to: Life | undefined, arrive: () => void): void {
    if (this.isBroken) return;
    if (this.#way.silentUntilMs > this.#engine.nowMs) {
      bite(this.#bites, "half-open");
      this.isBroken = true; // TCP: after a lost byte nothing later arrives either.
      return;
    }
    const isSlow = this.#way.slowUntilMs > this.#engine.nowMs;
    if (isSlow) bite(this.#bites, "slow link");
    const delayMs = (isSlow ? SLOW_MS : this.#way.delayMs) * (0.5 + this.#random.fraction());
    this.#lastMs = Math.max(this.#lastMs, this.#engine.nowMs + delayMs);
    this.#engine.at(this.#lastMs, to, () => {
      if (!this.isBroken) arrive();
    });
  }
}
