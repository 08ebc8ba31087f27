import type { GroupMark } from "../base/publication.ts";
import type { Body } from "../gen/heddle/message/v1/entry_pb.js";
import type { Hit } from "./duplicate-search.ts";
import { decodeCell } from "./entry-cell.ts";
import type { StoredEntry } from "./gate.ts";
import { memberChangeOf, previousOf } from "./member-entry.ts";
import type { ThreadLog } from "./thread-log.ts";
import type { Committed } from "./verdict.ts";

/** A stored cell that was found: what is told of it, and what is answered. */
export function foundEntry(
  log: ThreadLog,
  hit: Hit,
  originSession: string,
): { readonly entry: StoredEntry; readonly committed: Committed } {
  const cell = decodeCell(hit.cell);
  const ordinal = Number(cell.ordinal);
  const entry = { seq: hit.seq, ordinal, sender: cell.sender, cell: hit.cell, originSession };
  return {
    entry: log.isGroup ? { ...entry, mark: markOf(cell.body, log.audience.membersSeq) } : entry,
    committed: {
      threadId: log.threadId,
      seq: hit.seq,
      createdAtMs: Number(cell.createdAtMs),
      ordinal,
      cell: hit.cell,
      isVoid: cell.body?.kind.case === "void",
      duplicate: true,
      online: [],
    },
  };
}

/** A member or setting entry says what came before it; of any other that is found, the newest known is safe to say. */
function markOf(body: Body | undefined, newest: number): GroupMark {
  const membersSeq = previousOf(body) ?? newest;
  const change = memberChangeOf(body);
  return change ? { membersSeq, change } : { membersSeq };
}
