import { decodeCell } from "./cells/entry-cell.ts";
import type { LogStore } from "./cells/log-store.ts";
import { previousOf } from "./group/member-entry.ts";
import { findHead } from "./log/head-finder.ts";
import type { FoundWriters } from "./ports.ts";

/** Rows that are read: the newest, and the first, which says who made a group. 64 are about 32,000 entries. */
const MAX_ROWS = 64;

/**
 * Who has written in a thread, by its newest entries: for rows of a Heddle that did not note it. One whose last message
 * is older than these is not found, and is noted with the next one.
 */
export async function findWriters(store: LogStore, threadId: Uint8Array): Promise<FoundWriters> {
  const { head } = await findHead(store, threadId, 0);
  const writers = new Map<string, number>();
  const changes = new Map<number, string>();
  const newest = head.seq > 0 ? store.bucketOf(head.seq) : -1;
  for (let bucket = newest, rows = 1; bucket >= 0; rows++) {
    const last = Math.min(head.seq, store.lastSeqOf(bucket));
    for (const { seq, value } of await store.entries(threadId, store.firstSeqOf(bucket), last)) {
      const { sender, body } = decodeCell(value);
      if (previousOf(body) !== undefined) changes.set(seq, sender);
      else if (body?.kind.case === "text") writers.set(sender, Math.max(seq, writers.get(sender) ?? 0));
    }
    bucket = rows >= MAX_ROWS && bucket > 0 ? 0 : bucket - 1;
  }
  return { writers, changes };
}
