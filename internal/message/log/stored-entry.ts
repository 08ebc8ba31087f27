import { equalBytes } from "../../base/ids.ts";
import type { GroupMark } from "../../base/publication.ts";
import type { Body } from "../../gen/heddle/message/v1/entry_pb.js";
import { decodeCell } from "../cells/entry-cell.ts";
import { memberChangeOf, previousOf } from "../group/member-entry.ts";
import type { BatchItem } from "./batch.ts";
import type { Hit } from "./duplicate-search.ts";
import type { StoredEntry } from "./gate.ts";
import type { PendingSend } from "./pending-sends.ts";
import { clientIdReused, sealed } from "./refusals.ts";
import type { ThreadLog } from "./thread-log.ts";
import type { Committed, Verdict } from "./verdict.ts";

/** A stored cell that was found: what is told of it, and what is answered. */
export function foundEntry(
  log: ThreadLog,
  hit: Hit,
  originSession: string,
): { readonly entry: StoredEntry; readonly committed: Committed } {
  const cell = decodeCell(hit.cell);
  const ordinal = Number(cell.ordinal);
  const kind = cell.body?.kind.case;
  const { seq, cell: stored } = hit;
  const is = { isMessage: kind === "text", isVoid: kind === "void" };
  const entry = { seq, ordinal, sender: cell.sender, ...is, cell: stored, originSession };
  return {
    entry: log.isGroup ? { ...entry, mark: markOf(cell.body, log.membership.audience.membersSeq) } : entry,
    committed: {
      threadId: log.threadId,
      seq: hit.seq,
      createdAtMs: Number(cell.createdAtMs),
      ordinal,
      cell: hit.cell,
      isVoid: is.isVoid,
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

/** What the entries of our own batch say of a group: its members_seq before it, and the moment before it was sent. */
export interface Marks {
  readonly membersSeq: number;
  readonly sentAtMs: number;
}

/** An entry of our own append, as it is told of. `marks` are given for a group. */
export function appendedEntry(item: BatchItem, marks: Marks | undefined): StoredEntry {
  const { seq, ordinal, cell, send, entry } = item;
  const { kind, originSession } = send;
  const is = { isMessage: kind === "message", isVoid: kind === "void" };
  const stored = { seq, ordinal, cell, sender: is.isVoid ? "" : send.userId, ...is, originSession };
  if (!marks) return stored;
  const { membersSeq, sentAtMs } = marks;
  if (!entry) return { ...stored, mark: { membersSeq } };
  const { added, removed, previousSeq, name } = entry;
  const change = { added: added.map(({ userId }) => userId), removed };
  const isSetting = previousSeq > 0 && name !== undefined;
  return {
    ...stored,
    mark: isSetting ? { membersSeq } : { membersSeq, change },
    appended: { entry, sentAtMs },
  };
}

/**
 * What to say to a send whose entry is in the log: what stands there decides, not what came with the send. `isOut`: the
 * sender is no member of the group, and is not told where a void is, which may be above what it may see.
 */
export function verdictFor(send: PendingSend, committed: Committed, isOut: boolean): Verdict {
  if (send.kind === "void") return committed;
  if (committed.isVoid) return sealed(isOut ? undefined : committed.seq);
  const { payloadHash } = decodeCell(committed.cell);
  const same = payloadHash.length === 0 || equalBytes(payloadHash, send.body.hash);
  return same ? committed : clientIdReused(committed.seq);
}
