/**
 * A first-in-first-out queue that is bounded in bytes, not in items. The owner says what an item weighs; what does
 * not fit is refused, and what happens then is the owner's to decide.
 */
export class ByteQueue<T> {
  readonly limitBytes: number;
  #items: { readonly item: T; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** What the queued items weigh. Never above limitBytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#items.length;
  }

  /** Appends the item, or returns false and changes nothing if it does not fit. */
  push(item: T, bytes: number): boolean {
    if (this.#bytes + bytes > this.limitBytes) return false;
    this.#items.push({ item, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Empties the queue; the items in the order in which they came. */
  takeAll(): T[] {
    const items = this.#items.map((queued) => queued.item);
    this.#items = [];
    this.#bytes = 0;
    return items;
  }
}
