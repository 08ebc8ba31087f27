import { createHash } from "node:crypto";

/** The seed of this run: HEDDLE_TEST_SEED, or one by chance. Print it, so that the run's choices can be had again. */
export function testSeed(): number {
  return Number(process.env.HEDDLE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
}

/** Choices drawn from fractions, wherever those come from. */
export abstract class Choices {
  /** In [0, 1). */
  abstract fraction(): number;

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** True so often, of 1. */
  chance(share: number): boolean {
    return this.fraction() < share;
  }

  /** One of them. */
  pick<T>(from: readonly T[]): T {
    return from[this.between(0, from.length - 1)] as T;
  }

  /** So many of them at most, each once. */
  some<T>(from: readonly T[], most: number): readonly T[] {
    const left = [...from];
    return Array.from({ length: Math.min(most, left.length) }, () => {
      const [one] = left.splice(this.between(0, left.length - 1), 1);
      return one as T;
    });
  }
}

/** Choices that a seed decides. */
export class SeededRandom extends Choices {
  readonly #seed: string;
  /** How many fractions were drawn: the same seed gives the same ones, on every machine. */
  #drawn = 0;

  constructor(seed: number | string) {
    super();
    this.#seed = String(seed);
  }

  /** Choices of its own for one who chooses beside others: what they draw meanwhile changes nothing. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  fraction(): number {
    const digest = createHash("sha256")
      .update(`${this.#seed}#${this.#drawn++}`)
      .digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  }
}
