/** From and to, both included. */
export type Range = readonly [from: number, to: number];

/** A set of seqs as disjoint, ascending, non-adjacent ranges. */
export class RangeSet {
  #ranges: Range[] = [];

  /** Adds every seq of from..to. */
  add(from: number, to: number): void {
    const first = this.#ranges.findIndex((range) => range[1] >= from - 1);
    if (first < 0) {
      this.#ranges.push([from, to]);
      return;
    }
    let last = first;
    let low = from;
    let high = to;
    for (; last < this.#ranges.length; last++) {
      const range = this.#ranges[last] as Range;
      if (range[0] > to + 1) break;
      low = Math.min(low, range[0]);
      high = Math.max(high, range[1]);
    }
    this.#ranges.splice(first, last - first, [low, high]);
  }

  /** Takes every seq of from..to out. */
  remove(from: number, to: number): void {
    this.#ranges = this.#ranges.flatMap(([low, high]): Range[] => {
      const rest: Range[] = [];
      if (low < from) rest.push([low, Math.min(high, from - 1)]);
      if (high > to) rest.push([Math.max(low, to + 1), high]);
      return rest;
    });
  }

  has(seq: number): boolean {
    return this.runAt(seq) !== undefined;
  }

  /** The range that has `seq` in it. */
  runAt(seq: number): Range | undefined {
    return this.#ranges.find(([from, to]) => from <= seq && seq <= to);
  }

  /** The lowest range within from..to of which nothing is in the set. */
  firstMissing(from: number, to: number): Range | undefined {
    let low = from;
    for (const range of this.#ranges) {
      if (range[1] < low) continue;
      if (range[0] > low) return low <= to ? [low, Math.min(to, range[0] - 1)] : undefined;
      low = range[1] + 1;
    }
    return low <= to ? [low, to] : undefined;
  }

  /** The highest seq in the set; 0 if it is empty. */
  get highest(): number {
    return this.#ranges.at(-1)?.[1] ?? 0;
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }
}
