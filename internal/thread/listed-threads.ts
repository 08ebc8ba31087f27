import { hex } from "../base/ids.ts";
import type { Heads, ThreadRow } from "./ports.ts";

/** A row with the thread's head, read from the message store after the row. */
export interface ListedThread {
  readonly row: ThreadRow;
  readonly head: { readonly seq: number; readonly ordinal: number };
}

const NO_ENTRIES = { seq: 0, ordinal: 0 };

/** Reads the heads of rows that were read before. Asks nothing for no rows. */
export async function withHeads(heads: Heads, rows: readonly ThreadRow[]): Promise<readonly ListedThread[]> {
  if (rows.length === 0) return [];
  const found = await heads.heads(rows);
  return rows.map((row) => ({ row, head: found.get(hex(row.threadId)) ?? NO_ENTRIES }));
}

/** A direct thread is made before its first entry: until that one is there, lists leave it out. */
export function isListed({ row, head }: ListedThread): boolean {
  return row.kind !== "direct" || head.seq > 0;
}
