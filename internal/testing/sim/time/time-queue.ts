interface Step<Whose> {
  readonly atMs: number;
  readonly order: number;
  readonly whose: Whose;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Steps by time, those of one moment in the order in which they were added: a binary heap. */
export class TimeQueue<Whose> {
  readonly #heap: Step<Whose>[] = [];
  #added = 0;

  add(atMs: number, whose: Whose, run: () => void): () => void {
    const step = { atMs, order: this.#added++, whose, run, isCancelled: false };
    this.#rise(step, this.#heap.push(step) - 1);
    return () => {
      step.isCancelled = true;
    };
  }

  /** Removes and returns the next step that is due by then. */
  takeUntil(endMs: number): Step<Whose> | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first || first.atMs > endMs) return undefined;
      const last = this.#heap.pop() as Step<Whose>;
      if (last !== first) this.#sink(last);
      if (!first.isCancelled) return first;
    }
  }

  /** Puts a step at the free place `from`, or above. */
  #rise(step: Step<Whose>, from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Step<Whose>;
      if (!isBefore(step, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = step;
  }

  /** Puts a step at the top, or below. */
  #sink(step: Step<Whose>): void {
    const heap = this.#heap;
    const { length } = heap;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < length && isBefore(heap[right] as Step<Whose>, heap[child] as Step<Whose>)) child = right;
      const least = heap[child] as Step<Whose>;
      if (!isBefore(least, step)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = step;
  }
}

function isBefore(one: Step<unknown>, other: Step<unknown>): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
