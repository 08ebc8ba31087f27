import { lostSeqs } from "../../base/heddle-error.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import type { LogStore } from "../cells/log-store.ts";
import type { Counted } from "../cells/receipt-cell.ts";
import type { EntryCellPut } from "../ports.ts";
import type { OwnMessage, ThreadReceipts } from "./thread-receipts.ts";

/**
 * Entries that a count goes back at most. It is exact for who has at most 999 unread messages and fewer than 99,000 of
 * its own among them.
 */
const MOST_COUNTED = 100_000;
/** Entries read at a time: those of one row. */
const CHUNK = 512;
/** Messages of a thread that wait while its log is read; those beyond are read from it too. */
const MOST_UNCOUNTED = 1_000;
const NONE: Counted = { seq: 0, ordinal: 0 };

/** A message, or a change of who is a member. */
interface Found {
  readonly at: Counted;
  /** Of a message. */
  readonly sender: string | undefined;
  /** Who came in by it. */
  readonly came: readonly string[];
}

/**
 * Counts to each user of a thread the messages of its own above its read position, so that they can be taken off what
 * is unread. Every message is counted once, in order of seq: as it is accepted where it comes right after the one counted
 * last, else from the log, with all between. So whichever server appended it, and whatever a server that died had not written
 * (docs/design.md, section 5, Unread), the counts are a function of the log. Who comes into a group has read up to there:
 * its count begins anew.
 */
export class OwnMessages {
  readonly #store: Pick<LogStore, "entries">;

  constructor(store: Pick<LogStore, "entries">) {
    this.#store = store;
  }

  /** A message was accepted. Counts it at once where nothing is missing before it, else when that has been read. */
  accepted(thread: ThreadReceipts, message: OwnMessage): void {
    // Each that came while the log is read would else ask for another read, and the reads never catch up.
    if (thread.counting && thread.uncounted.length < MOST_UNCOUNTED) thread.uncounted.push(message);
    else if (!this.#countNext(thread, message)) this.countUpTo(thread, message.at).catch(() => {}); // A later one does it.
  }

  /** Counts a message if it is the one after the last that was counted. Returns whether it is counted now. */
  #countNext(thread: ThreadReceipts, { userId, at: { seq, ordinal }, joinedSeq }: OwnMessage): boolean {
    const { counted = NONE } = thread;
    if (ordinal <= counted.ordinal) return true;
    if (ordinal !== counted.ordinal + 1) return false;
    thread.beginOwn(userId, joinedSeq);
    thread.countMessage(userId, { seq, ordinal });
    return true;
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
        if (thread.counting !== counting) return;
        thread.counting = undefined;
        const uncounted = thread.uncounted.splice(0);
        // Where the log could not be read they are forgotten: the next message asks for it again.
        if (isDone()) for (const message of uncounted) this.accepted(thread, message);
      });
    thread.counting = counting;
    return counting;
  }

  /**
   * Makes a user's count go with its read position, where another server has raised that. Resolves to whether it had to.
   * Rejects as the store does.
   */
  async recount(thread: ThreadReceipts, userId: string): Promise<boolean> {
    const own = thread.own.get(userId);
    const mine = thread.positionOf(userId);
    if (!own || own.readSeq === mine.readSeq) return false;
    while (own.readSeq !== mine.readSeq) {
      const { readSeq } = mine;
      const { lastSeq } = own;
      const count = await this.between(thread, userId, readSeq, lastSeq);
      if (readSeq === mine.readSeq && lastSeq === own.lastSeq) Object.assign(own, { readSeq, count });
    }
    return true;
  }

  /**
   * How many messages of a user's own have afterSeq < seq ≤ toSeq, and are of its stay at toSeq. Reads the log where that
   * is not remembered.
   */
  async between(thread: ThreadReceipts, userId: string, afterSeq: number, toSeq: number): Promise<number> {
    const own = thread.own.get(userId);
    const remembered = own && thread.recent.countOwn(own, afterSeq, toSeq);
    return remembered ?? this.countLogged(thread.threadId, userId, afterSeq, toSeq);
  }

  /** The same, by the log. */
  async countLogged(threadId: Uint8Array, userId: string, afterSeq: number, toSeq: number): Promise<number> {
    let count = 0;
    await this.#each(threadId, afterSeq, toSeq, ({ sender, came }) => {
      if (sender === userId) count += 1;
      if (came.includes(userId)) count = 0;
    });
    return count;
  }

  async #read(thread: ThreadReceipts, to: Counted): Promise<void> {
    const after = Math.max(thread.counted?.seq ?? 0, to.seq - MOST_COUNTED);
    const found: Found[] = [];
    await this.#each(thread.threadId, after, to.seq, (one) => found.push(one));
    if (after !== (thread.counted?.seq ?? 0)) thread.recent.goOnFrom(after);
    for (const { at, sender, came } of found) {
      if (sender !== undefined) thread.countMessage(sender, at);
      for (const userId of came) thread.beginOwn(userId, at.seq);
    }
    thread.setCounted(to);
  }

  /** What is lost is nobody's own: else a thread that has lost entries would never be counted again. */
  async #readable(threadId: Uint8Array, from: number, to: number): Promise<readonly EntryCellPut[]> {
    try {
      return await this.#store.entries(threadId, from, to);
    } catch (error) {
      const lost = lostSeqs(error);
      if (!lost || lost.from < from || lost.to > to) throw error;
      const before = lost.from > from ? await this.#store.entries(threadId, from, lost.from - 1) : [];
      return [...before, ...(lost.to < to ? await this.#readable(threadId, lost.to + 1, to) : [])];
    }
  }

  async #each(
    threadId: Uint8Array,
    afterSeq: number,
    toSeq: number,
    take: (found: Found) => void,
  ): Promise<void> {
    for (let low = afterSeq + 1; low <= toSeq; low += CHUNK) {
      const cells = await this.#readable(threadId, low, Math.min(toSeq, low + CHUNK - 1));
      for (const { seq, value } of cells) {
        const { sender, body, ordinal } = decodeCell(value);
        const at = { seq, ordinal: Number(ordinal) };
        if (body?.kind.case === "text") take({ at, sender, came: [] });
        else if (body?.kind.case === "memberChange") {
          take({ at, sender: undefined, came: body.kind.value.added.map(({ userId }) => userId) });
        }
      }
    }
  }
}
