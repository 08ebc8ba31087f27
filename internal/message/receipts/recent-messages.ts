import type { Counted, Own } from "../cells/receipt-cell.ts";
import type { MemoryShare } from "../memory-use.ts";

/** Messages that are remembered of a thread at most; half of them go when there are more. */
const MOST = 256;
/** What one takes, in bytes: receipts-memory.test.ts. */
const MESSAGE_BYTES = 40;

/**
 * The messages of a thread that were counted last, so that where its users read nobody reads the log: a read position
 * rises with nearly every message, and nearly always to one of these. They lie in three lists side by side: an object
 * each would live just long enough to be moved twice by the garbage collector.
 */
export class RecentMessages {
  readonly #memory: MemoryShare;
  /** Of the messages above #afterSeq, up to #uptoSeq, without a gap. */
  readonly #seqs: number[] = [];
  readonly #ordinals: number[] = [];
  /** The sender's count: one object for each sender of a thread. Undefined for one of an earlier stay in a group. */
  readonly #owns: (Own | undefined)[] = [];
  #afterSeq = 0;
  #uptoSeq = 0;

  constructor(memory: MemoryShare) {
    this.#memory = memory;
  }

  /** Says up to where messages have been counted. What comes next follows that, or all is forgotten. */
  goOnFrom(seq: number): void {
    if (seq === this.#uptoSeq) return;
    this.#forget(this.#seqs.length);
    this.#afterSeq = seq;
    this.#uptoSeq = seq;
  }

  /** Adds the next message, with its sender's count. */
  note({ seq, ordinal }: Counted, own: Own): void {
    this.#seqs.push(seq);
    this.#ordinals.push(ordinal);
    this.#owns.push(own);
    this.#memory.addBytes(MESSAGE_BYTES);
    this.#uptoSeq = seq;
    if (this.#seqs.length <= MOST) return;
    const dropped = MOST / 2;
    this.#afterSeq = this.#seqs[dropped - 1] ?? 0;
    this.#forget(dropped);
  }

  /** The sender has come into the group anew: what it wrote in an earlier stay is its own no more. */
  disown(own: Own): void {
    for (const [at, one] of this.#owns.entries()) if (one === own) this.#owns[at] = undefined;
  }

  /** There is no message between the last one and this seq. */
  reach(seq: number): void {
    this.#uptoSeq = Math.max(this.#uptoSeq, seq);
  }

  /** How many messages of a sender have afterSeq < seq ≤ toSeq. Undefined: some of these are not remembered. */
  countOwn(own: Own, afterSeq: number, toSeq: number): number | undefined {
    if (afterSeq < this.#afterSeq || toSeq > this.#uptoSeq) return undefined;
    let count = 0;
    for (let at = this.#lastUpTo(toSeq); at >= 0 && (this.#seqs[at] ?? 0) > afterSeq; at--) {
      if (this.#owns[at] === own) count += 1;
    }
    return count;
  }

  /** The ordinal as of a seq. Undefined where it is not remembered. */
  ordinalAt(seq: number): number | undefined {
    const first = this.#ordinals[0];
    if (first === undefined || seq < this.#afterSeq || seq > this.#uptoSeq) return undefined;
    return this.#ordinals[this.#lastUpTo(seq)] ?? first - 1;
  }

  /** The place of the last message up to a seq, which is near the end; -1 for none. */
  #lastUpTo(seq: number): number {
    let at = this.#seqs.length - 1;
    while (at >= 0 && (this.#seqs[at] ?? 0) > seq) at -= 1;
    return at;
  }

  #forget(count: number): void {
    for (const list of [this.#seqs, this.#ordinals, this.#owns]) list.splice(0, count);
    this.#memory.addBytes(-count * MESSAGE_BYTES);
  }
}
