/** Bytes that wait in a stream at which `write` says stop: enough for one turn of the event loop. */
export const HIGH_WATER_BYTES = 16 * 1024;

/**
 * What was written to a stream and has not left it yet, where the stream below tells of each write in order. With more
 * than HIGH_WATER_BYTES it is full, until all has left. Sizes are kept in a list: one shared callback serves every write,
 * and none needs a closure.
 */
export class UnwrittenBytes {
  readonly #sizes: number[] = [];
  #bytes = 0;
  #isFull = false;

  get bytes(): number {
    return this.#bytes;
  }

  /** So many bytes were written. Whether more may be. */
  add(bytes: number): boolean {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    if (this.#bytes > HIGH_WATER_BYTES) this.#isFull = true;
    return !this.#isFull;
  }

  /** The oldest write has left. True where all has, after it was full: now more may be written. */
  left(): boolean {
    this.#bytes -= this.#sizes.shift() ?? 0;
    if (!this.#isFull || this.#bytes > 0) return false;
    this.#isFull = false;
    return true;
  }

  /** The stream is over: nothing waits any more. */
  clear(): void {
    this.#sizes.length = 0;
    this.#bytes = 0;
  }
}
