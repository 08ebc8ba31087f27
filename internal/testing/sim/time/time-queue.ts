interface Step {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Steps by time, those of one moment in the order in which they were added: a binary heap. */
export class TimeQueue {
  readonly #heap: Step[] = [];
  #added = 0;

  add(atMs: number, run: () => void): () => void {
    const step: Step = { atMs, order: this.#added++, run, isCancelled: false };
    this.#heap.push(step);
    this.#rise(this.#heap.length - 1);
    return () => {
      step.isCancelled = true;
    };
  }

  /** Removes and returns the next step that is due by then. */
  takeUntil(endMs: number): Step | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first || first.atMs > endMs) return undefined;
      const last = this.#heap.pop() as Step;
      if (last !== first) {
        this.#heap[0] = last;
        this.#sink(0);
      }
      if (!first.isCancelled) return first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as Step, this.#heap[b] as Step];
    return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b] as Step, this.#heap[a] as Step];
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
