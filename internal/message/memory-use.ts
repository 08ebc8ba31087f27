/** How many bytes a kind of things takes that are remembered, all together: what a budget bounds. */
export class MemoryUse {
  bytes = 0;

  /** The part of one thing. */
  share(): MemoryShare {
    return new MemoryShare(this);
  }
}

/** What one remembered thing takes. The thing reports each change, as it happens. */
export class MemoryShare {
  #use: MemoryUse | undefined;
  #bytes = 0;

  constructor(use?: MemoryUse) {
    this.#use = use;
  }

  /** What the thing takes, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts `bytes` more, or, if negative, fewer. */
  addBytes(bytes: number): void {
    this.#bytes += bytes;
    if (this.#use) this.#use.bytes += bytes;
  }

  /** Nobody remembers the thing any more; one that still uses it counts for itself. */
  releaseBytes(): void {
    if (this.#use) this.#use.bytes -= this.#bytes;
    this.#use = undefined;
  }
}
