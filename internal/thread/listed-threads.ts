import { hex } from "../base/ids.ts";
import type { Heads, ThreadRow, ThreadStore, Unread } from "./ports.ts";

/** A row with the thread's head, read from the message store after the row. */
export interface ListedThread {
  readonly row: ThreadRow;
  readonly head: { readonly seq: number; readonly ordinal: number };
  /** What the owner has read, and not, up to the head; undefined where it was not asked for, or cannot be read. */
  readonly read?: Unread | undefined;
  /** The log cannot be read: the head is not known, but to one who has left. */
  readonly isDamaged?: boolean;
}

/** The head of a thread without entries. */
export const NO_ENTRIES = { seq: 0, ordinal: 0 };

/**
 * Reads the heads of an owner's rows that were read before. Asks nothing for no rows. The head of one who left a group
 * is that of the leaving entry: what came later is not for it to know. It may have left since its row was read, so rows
 * of groups are looked at again: what is in a log above a leaving entry came after that one was projected.
 */
export async function withHeads(
  heads: Heads,
  rows: readonly ThreadRow[],
  store: Pick<ThreadStore, "get">,
): Promise<readonly ListedThread[]> {
  const [first] = rows;
  if (!first) return [];
  const found = await heads.heads(rows);
  const groups = rows.filter(({ group }) => group && !group.left).map(({ threadId }) => threadId);
  const later = groups.length > 0 ? await store.get(first.ownerId, groups) : [];
  const laterRows = new Map(later.map((row) => [hex(row.threadId), row]));
  const listed = rows.map((row) => {
    const key = hex(row.threadId);
    return withHead(row, laterRows.get(key) ?? row, found.get(key));
  });
  const whole = listed.filter(({ isDamaged }) => !isDamaged);
  const asked = whole.map(({ row, head }) => ({ threadId: row.threadId, head, row }));
  const reads = await heads.unread?.(first.ownerId, asked);
  return reads ? listed.map((one) => ({ ...one, read: reads.get(hex(one.row.threadId)) })) : listed;
}

/** A row with its head as its owner may see it by a later row; without one, its log cannot be read. */
export function withHead(
  row: ThreadRow,
  later: ThreadRow,
  head: ListedThread["head"] | undefined,
): ListedThread {
  if (head) return { row, head: headFor(later, head) };
  return { row, head: row.group?.left ?? NO_ENTRIES, isDamaged: true };
}

/**
 * A direct thread is made before its first entry, which may be a void: lists leave it out until there is a message in
 * it, so that nobody is shown a thread by one who has not written. A damaged one is listed, since what is in it is not
 * known: a thread that a person knows must not vanish.
 */
export function isListed({ row, head, isDamaged }: ListedThread): boolean {
  return isDamaged || row.kind !== "direct" || head.ordinal > 0;
}

/** The row's head as its owner may see it. */
function headFor({ group }: ThreadRow, head: ListedThread["head"]): ListedThread["head"] {
  return group?.left && group.left.seq < head.seq ? group.left : head;
}
