import { decodeCell } from "../cells/entry-cell.ts";
import type { LogStore } from "../cells/log-store.ts";
import type { Counted } from "../cells/receipt-cell.ts";
import type { ThreadReceipts } from "./thread-receipts.ts";

/**
 * Entries that a count goes back at most. It is exact for who has at most 999 unread messages and fewer than 99,000 of
 * its own among them.
 */
const MOST_COUNTED = 100_000;
/** Entries read at a time: those of one row. */
const CHUNK = 512;

/**
 * Counts to each user of a thread the messages of its own above its read position, so that they can be taken off what
 * is unread. Every message is counted once, in order of seq: as it is accepted where it comes right after the one counted
 * last, else from the log, with all between. So whichever server appended it, and whatever a server that died had not written
 * (docs/design.md, section 5, Unread), the counts are a function of the log.
 */
export class OwnMessages {
  readonly #store: Pick<LogStore, "entries">;

  constructor(store: Pick<LogStore, "entries">) {
    this.#store = store;
  }

  /** A message was accepted. Counts it at once where nothing is missing before it. */
  accepted(thread: ThreadReceipts, userId: string, at: Counted): void {
    const { counted } = thread;
    const isNext = !thread.counting && counted?.ordinal === at.ordinal - 1 && counted.seq < at.seq;
    if (!isNext) {
      this.countUpTo(thread, at).catch(() => {}); // A later count does it.
      return;
    }
    thread.countOwn(userId, at.seq);
    thread.counted = at;
  }

  /** Resolves when all messages up to a seq and its ordinal are counted. Rejects as the store does. */
  countUpTo(thread: ThreadReceipts, to: Counted): Promise<void> {
    const isDone = () => thread.counted !== undefined && thread.counted.ordinal >= to.ordinal;
    if (isDone()) return Promise.resolve();
    const before = thread.counting ?? Promise.resolve();
    const counting = before
      .catch(() => {})
      .then(() => (isDone() ? undefined : this.#read(thread, to)))
      .finally(() => {
        if (thread.counting === counting) thread.counting = undefined;
      });
    thread.counting = counting;
    return counting;
  }

  /** How many messages of a user's own have afterSeq < seq ≤ toSeq. Reads the log, unless there can be none. */
  async between(thread: ThreadReceipts, userId: string, afterSeq: number, toSeq: number): Promise<number> {
    let count = 0;
    await this.#eachMessage(thread.threadId, afterSeq, toSeq, (sender) => {
      if (sender === userId) count += 1;
    });
    return count;
  }

  async #read(thread: ThreadReceipts, to: Counted): Promise<void> {
    const after = Math.max(thread.counted?.seq ?? 0, to.seq - MOST_COUNTED);
    const found: [string, number][] = [];
    await this.#eachMessage(thread.threadId, after, to.seq, (sender, seq) => found.push([sender, seq]));
    for (const [sender, seq] of found) thread.countOwn(sender, seq);
    thread.counted = to;
  }

  async #eachMessage(
    threadId: Uint8Array,
    afterSeq: number,
    toSeq: number,
    take: (sender: string, seq: number) => void,
  ): Promise<void> {
    for (let low = afterSeq + 1; low <= toSeq; low += CHUNK) {
      const cells = await this.#store.entries(threadId, low, Math.min(toSeq, low + CHUNK - 1));
      for (const { seq, value } of cells) {
        const { sender, body } = decodeCell(value);
        if (body?.kind.case === "text") take(sender, seq);
      }
    }
  }
}
