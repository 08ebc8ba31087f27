import { Choices } from "../../fakes/time/seeded-random.ts";

/** Choices that a seed decides, quickly (SplitMix32); what one draws changes nothing for others that were forked. */
export class SimRandom extends Choices {
  readonly #seed: string;
  #state: number;

  constructor(seed: string) {
    super();
    this.#seed = seed;
    let state = 0x811c9dc5;
    for (let at = 0; at < seed.length; at++) state = Math.imul(state ^ seed.charCodeAt(at), 0x01000193);
    this.#state = state >>> 0;
  }

  fork(name: string): SimRandom {
    return new SimRandom(`${this.#seed}/${name}`);
  }

  /** One of them, or undefined where there is none. */
  maybePick<T>(from: readonly T[]): T | undefined {
    return from.length > 0 ? this.pick(from) : undefined;
  }

  fraction(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }
}
