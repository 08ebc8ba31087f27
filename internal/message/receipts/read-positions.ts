import { decodeCell } from "../cells/entry-cell.ts";
import type { LogStore } from "../cells/log-store.ts";
import type { Counted, Own, Positions } from "../cells/receipt-cell.ts";
import type { OwnMessages } from "./own-messages.ts";
import type { ThreadReceipts } from "./thread-receipts.ts";

/** Raises read positions, and with each the count of its user's own messages above it. */
export class ReadPositions {
  readonly #store: Pick<LogStore, "cell">;
  readonly #own: OwnMessages;

  constructor(store: Pick<LogStore, "cell">, own: OwnMessages) {
    this.#store = store;
    this.#own = own;
  }

  /**
   * Raises a position; `last` is as far as it may go. Whether it rose, at once where what is remembered is enough.
   * Rejects as the store does.
   */
  raise(thread: ThreadReceipts, userId: string, readSeq: number, last: Counted): boolean | Promise<boolean> {
    return this.#byMemory(thread, userId, readSeq) ?? this.#byStore(thread, userId, readSeq, last);
  }

  /** Moves a position; `ownUnread` is how many of the user's own messages are above it. */
  setRead(
    thread: ThreadReceipts,
    userId: string,
    { readSeq, readOrdinal }: Pick<Positions, "readSeq" | "readOrdinal">,
    ownUnread: number,
  ): void {
    const mine = thread.positionOf(userId);
    mine.readSeq = readSeq;
    mine.readOrdinal = readOrdinal;
    thread.uncopied.add(userId);
    const own = thread.own.get(userId);
    if (!own) return;
    own.readSeq = readSeq;
    own.count = ownUnread;
  }

  /**
   * Undefined where the store has to be read. A position rises with nearly every message, and the promises of the other
   * way took 3 KB and 5 µs each time.
   */
  #byMemory(thread: ThreadReceipts, userId: string, readSeq: number): boolean | undefined {
    const mine = thread.positionOf(userId);
    const own = thread.own.get(userId);
    const readOrdinal = thread.recent.ordinalAt(readSeq); // What is remembered there has been counted.
    if (readOrdinal === undefined || (own && own.readSeq !== mine.readSeq)) return undefined;
    let ownUnread = 0;
    if (isAbove(own, readSeq)) {
      const passed = thread.recent.countOwn(own, mine.readSeq, readSeq);
      if (passed === undefined) return undefined;
      ownUnread = own.count - passed;
    }
    if (readSeq <= mine.readSeq) return false;
    this.setRead(thread, userId, { readSeq, readOrdinal }, ownUnread);
    return true;
  }

  async #byStore(thread: ThreadReceipts, userId: string, readSeq: number, last: Counted): Promise<boolean> {
    const mine = thread.positionOf(userId);
    const readOrdinal = thread.recent.ordinalAt(readSeq) ?? (await this.#ordinalAt(thread, readSeq, last));
    await this.#own.countUpTo(thread, { seq: readSeq, ordinal: readOrdinal });
    for (;;) {
      await this.#own.recount(thread, userId);
      const from = mine.readSeq;
      const own = thread.own.get(userId);
      const passed = isAbove(own, readSeq)
        ? await this.#own.between(thread, userId, from, readSeq)
        : undefined;
      if (readSeq <= mine.readSeq) return false;
      if (mine.readSeq !== from) continue;
      const ownUnread = own && passed !== undefined ? own.count - passed : 0;
      this.setRead(thread, userId, { readSeq, readOrdinal }, ownUnread);
      return true;
    }
  }

  async #ordinalAt(thread: ThreadReceipts, seq: number, last: Counted): Promise<number> {
    if (seq === last.seq) return last.ordinal;
    const cell = await this.#store.cell(thread.threadId, seq);
    return Number(decodeCell(cell).ordinal);
  }
}

/** Whether some of the messages that were counted to a user may be above a read position. */
function isAbove(own: Own | undefined, readSeq: number): own is Own {
  return own !== undefined && own.count > 0 && own.lastSeq > readSeq;
}
