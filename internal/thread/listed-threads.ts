import { hex } from "../base/ids.ts";
import type { Heads, ThreadRow } from "./ports.ts";

/** A row with the thread's head, read from the message store after the row. */
export interface ListedThread {
  readonly row: ThreadRow;
  readonly head: { readonly seq: number; readonly ordinal: number };
}

/** The head of a thread without entries. */
export const NO_ENTRIES = { seq: 0, ordinal: 0 };

/**
 * Reads the heads of rows that were read before. Asks nothing for no rows. The head of one who left a group is that of
 * the leaving entry: what came later is not for it to know.
 */
export async function withHeads(heads: Heads, rows: readonly ThreadRow[]): Promise<readonly ListedThread[]> {
  if (rows.length === 0) return [];
  const found = await heads.heads(rows);
  return rows.map((row) => ({ row, head: headFor(row, found.get(hex(row.threadId)) ?? NO_ENTRIES) }));
}

/** A direct thread is made before its first entry: until that one is there, lists leave it out. */
export function isListed({ row, head }: ListedThread): boolean {
  return row.kind !== "direct" || head.seq > 0;
}

/** The row's head as its owner may see it. */
export function headFor({ group }: ThreadRow, head: ListedThread["head"]): ListedThread["head"] {
  return group?.left && group.left.seq < head.seq ? group.left : head;
}
