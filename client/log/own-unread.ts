/** Entries that are looked at one by one when a read position rises among them: more are not held. */
const MOST_HELD = 5_000;

/**
 * One's own messages above one's read position: they are no news, and are taken off what is unread. The server has told
 * how many there are up to some head; those that came after it are known here.
 */
export class OwnUnread {
  #told = 0;
  #toldSeq = 0;
  readonly #later = new Set<number>();

  get count(): number {
    return this.#told + this.#later.size;
  }

  /** Takes the server's count as of a head. Of an older head it says nothing new. */
  setToldCount(count: number, headSeq: number): void {
    if (headSeq < this.#toldSeq) return;
    this.#told = count;
    this.#toldSeq = headSeq;
    this.#drop(headSeq);
  }

  /** A message of one's own is in the log, above the read position. Any number of times. */
  addOwnMessage(seq: number): void {
    if (seq > this.#toldSeq) this.#later.add(seq);
  }

  /** The read position rose. `isOwn`: whether the entry is held here and a message of one's own. */
  raiseRead(fromSeq: number, toSeq: number, isOwn: (seq: number) => boolean): void {
    const told = Math.min(toSeq, this.#toldSeq);
    for (let seq = Math.max(fromSeq + 1, told - MOST_HELD); seq <= told && this.#told > 0; seq++) {
      if (isOwn(seq)) this.#told -= 1;
    }
    if (toSeq >= this.#toldSeq) this.#told = 0;
    this.#drop(toSeq);
  }

  toJson(): KeptOwn {
    return [this.#told, this.#toldSeq, ...this.#later];
  }

  static fromJson([told = 0, toldSeq = 0, ...later]: KeptOwn): OwnUnread {
    const own = new OwnUnread();
    own.setToldCount(told, toldSeq);
    for (const seq of later) own.addOwnMessage(seq);
    return own;
  }

  #drop(toSeq: number): void {
    for (const seq of this.#later) if (seq <= toSeq) this.#later.delete(seq);
  }
}

/** How many were told, of which head, and the seqs of the later ones. */
export type KeptOwn = readonly number[];
