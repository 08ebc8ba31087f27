/** Choices that a seed decides, quickly (SplitMix32); what one draws changes nothing for others that were forked. */
export class SimRandom {
  readonly #seed: string;
  #state: number;

  constructor(seed: string) {
    this.#seed = seed;
    let state = 0x811c9dc5;
    for (let at = 0; at < seed.length; at++) state = Math.imul(state ^ seed.charCodeAt(at), 0x01000193);
    this.#state = state >>> 0;
  }

  fork(name: string): SimRandom {
    return new SimRandom(`${this.#seed}/${name}`);
  }

  /** In [0, 1). */
  fraction(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** True so often, of 1. */
  chance(share: number): boolean {
    return this.fraction() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.between(0, from.length - 1)] as T;
  }

  /** So many of them at most, each once. */
  some<T>(from: readonly T[], most: number): T[] {
    const left = [...from];
    return Array.from({ length: Math.min(most, left.length) }, () => {
      return left.splice(this.between(0, left.length - 1), 1)[0] as T;
    });
  }
}
