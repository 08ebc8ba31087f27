import type { Clock } from "../../../base/clock.ts";
import { type Engine, EPOCH_MS, type Life } from "./engine.ts";

/** The clock of one life of a process: off by so much, and running so much faster than simulated time. */
export class LifeClock implements Clock {
  readonly #engine: Engine;
  readonly #life: Life;
  readonly #offMs: number;
  readonly #rate: number;

  constructor(engine: Engine, life: Life, offMs: number, rate: number) {
    this.#engine = engine;
    this.#life = life;
    this.#offMs = offMs;
    this.#rate = rate;
  }

  nowMs(): number {
    return Math.floor(EPOCH_MS + this.#offMs + this.#engine.nowMs * this.#rate);
  }

  monotonicMs(): number {
    return this.#engine.nowMs * this.#rate;
  }

  /** Up to a millisecond late, as timers are; what is past is the next step, never this one. */
  after(ms: number, callback: () => void): () => void {
    return this.#engine.after(Math.ceil(Math.max(0, ms)) / this.#rate + 0.5, this.#life, callback);
  }
}
