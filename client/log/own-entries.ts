import type { Entry, OutboxItem } from "../model/model.ts";
import type { ThreadLog } from "./thread-log.ts";

/** Per thread; a thread has one send under way at a time, so more than a few is a gap that must be pulled. */
const WAITING = 8;

/**
 * Entries of this device's own sends, made from the send and its place: the server says `accepted` to the session that
 * sent, and no `entry`. The ordinal follows from the entry before, so one that is still on its way is waited for.
 */
export class OwnEntries {
  readonly #userId: string;
  /** By thread, then by seq. */
  readonly #waiting = new Map<string, Map<number, OutboxItem>>();

  constructor(userId: string) {
    this.#userId = userId;
  }

  /** Takes a send that is in the log. */
  addSent(item: OutboxItem, threadId: string): void {
    if (item.seq === undefined || item.createdAtMs === undefined) return;
    const waiting = this.#waiting.get(threadId) ?? new Map<number, OutboxItem>();
    if (waiting.size < WAITING) this.#waiting.set(threadId, waiting.set(item.seq, item));
  }

  /** Forgets what waits in a thread. */
  forget(threadId: string): void {
    this.#waiting.delete(threadId);
  }

  /** The entry right above the log's position, if it is an own one. */
  nextEntry(threadId: string, log: ThreadLog): Entry | undefined {
    const waiting = this.#waiting.get(threadId);
    if (!waiting) return undefined;
    for (const seq of waiting.keys()) if (seq <= log.position) waiting.delete(seq);
    if (waiting.size === 0) this.#waiting.delete(threadId);
    const item = waiting.get(log.position + 1);
    const before = log.ordinalAt(log.position);
    if (!item || before === undefined) return undefined;
    return {
      threadId,
      seq: log.position + 1,
      sender: this.#userId,
      clientId: item.clientId,
      baseSeq: item.baseSeq,
      ordinal: before + 1,
      createdAtMs: item.createdAtMs ?? 0,
      body: { kind: "text", text: item.text },
    };
  }
}
