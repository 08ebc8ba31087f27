import type { Own } from "../cells/receipt-cell.ts";
import type { MemoryShare } from "../memory-use.ts";

/** Messages that are remembered of a thread at most; half of them go when there are more. */
const MOST = 256;
/** What one takes, in bytes: receipts-memory.test.ts. */
const MESSAGE_BYTES = 72;

interface RecentMessage {
  readonly seq: number;
  readonly ordinal: number;
  /** The sender's count: one object for each sender of a thread. Undefined for one of an earlier stay in a group. */
  own: Own | undefined;
}

/**
 * The messages of a thread that were counted last, so that where its users read nobody reads the log: a read position
 * rises with nearly every message, and nearly always to one of these.
 */
export class RecentMessages {
  readonly #memory: MemoryShare;
  /** Those above #afterSeq, up to #uptoSeq, without a gap. */
  #messages: RecentMessage[] = [];
  #afterSeq = 0;
  #uptoSeq = 0;

  constructor(memory: MemoryShare) {
    this.#memory = memory;
  }

  /** Says up to where messages have been counted. What comes next follows that, or all is forgotten. */
  goOnFrom(seq: number): void {
    if (seq === this.#uptoSeq) return;
    this.#forget(this.#messages.length);
    this.#afterSeq = seq;
    this.#uptoSeq = seq;
  }

  /** Adds the next message. */
  note(message: RecentMessage): void {
    this.#messages.push(message);
    this.#memory.addBytes(MESSAGE_BYTES);
    this.#uptoSeq = message.seq;
    if (this.#messages.length <= MOST) return;
    const dropped = MOST / 2;
    this.#afterSeq = this.#messages[dropped - 1]?.seq ?? 0;
    this.#forget(dropped);
  }

  /** The sender has come into the group anew: what it wrote in an earlier stay is its own no more. */
  disown(own: Own): void {
    for (const message of this.#messages) if (message.own === own) message.own = undefined;
  }

  /** There is no message between the last one and this seq. */
  reach(seq: number): void {
    this.#uptoSeq = Math.max(this.#uptoSeq, seq);
  }

  /** How many messages of a sender have afterSeq < seq ≤ toSeq. Undefined: some of these are not remembered. */
  countOwn(own: Own, afterSeq: number, toSeq: number): number | undefined {
    if (afterSeq < this.#afterSeq || toSeq > this.#uptoSeq) return undefined;
    let count = 0;
    for (let at = this.#messages.length - 1; at >= 0; at--) {
      const message = this.#messages[at];
      if (!message || message.seq <= afterSeq) break;
      if (message.seq <= toSeq && message.own === own) count += 1;
    }
    return count;
  }

  /** The ordinal as of a seq. Undefined where it is not remembered. */
  ordinalAt(seq: number): number | undefined {
    const first = this.#messages[0];
    if (!first || seq < this.#afterSeq || seq > this.#uptoSeq) return undefined;
    const last = this.#messages.findLast((message) => message.seq <= seq);
    return last ? last.ordinal : first.ordinal - 1;
  }

  #forget(count: number): void {
    this.#messages = this.#messages.slice(count);
    this.#memory.addBytes(-count * MESSAGE_BYTES);
  }
}
