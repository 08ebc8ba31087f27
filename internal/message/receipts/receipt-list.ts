import type { LogStore } from "../cells/log-store.ts";
import { type Positions, positionsOf } from "../cells/receipt-cell.ts";
import type { Range } from "../group/membership.ts";
import type { Hiding } from "../hiding.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import type { Views } from "../log/views.ts";
import { withheld } from "./thread-receipts.ts";

export interface ListPorts {
  readonly store: Pick<LogStore, "receipts">;
  readonly views: Views;
  readonly hiding: Hiding;
}

/**
 * The positions of all members that are in the store, as far as the viewer may see: between two where one has blocked
 * the other nothing, and to one who has left nobody else's. What was delivered is withheld of those who hide from the
 * viewer, and in a large group of everybody. What is not yet written is not shown: a server that dies would take it
 * back.
 */
export async function listReceipts(
  { store, views, hiding }: ListPorts,
  log: ThreadLog,
  viewerId: string,
  { last }: Range,
): Promise<ReadonlyMap<string, Positions>> {
  const stored = positionsOf(await store.receipts(log.threadId));
  const shown = new Set([viewerId]);
  for (const userId of stored.keys()) {
    // Whether one has written in a group goes by its membership.
    if (log.isGroup) await views.fresh(log);
    if (!shown.has(userId) && !(await hiding.isHidden(log.membership, userId))) shown.add(userId);
  }
  // Last, so that it is not too old when they are told. Where it cannot be read, it is taken for a block: a later list
  // tells what this one did not.
  const isBlocked = await views.isBlocked(log);
  const members = log.isGroup ? (await views.fresh(log)).roster.members : undefined;
  const { isLarge } = log.membership.audience;
  // One who has left is told nobody's: as of its leaving nobody knows them, and later ones say who was there since.
  const seesOthers = !isBlocked && (!members || members.has(viewerId));
  const users = new Map<string, Positions>();
  for (const [userId, positions] of stored) {
    if (userId !== viewerId && !(seesOthers && (members?.has(userId) ?? true))) continue;
    const told = isLarge || !shown.has(userId) ? withheld(positions) : positions;
    // A user that nothing may be told of has no row either: it would say that a device of the user came to be there.
    if (told.deliveredSeq === 0 && told.readSeq === 0) continue;
    users.set(userId, log.isGroup ? atMost(told, last) : told);
  }
  return users;
}

/** Positions as far as a viewer may see. */
function atMost(positions: Positions, last: Range["last"]): Positions {
  const { deliveredSeq, readSeq, readOrdinal } = positions;
  return {
    deliveredSeq: Math.min(deliveredSeq, last.seq),
    readSeq: Math.min(readSeq, last.seq),
    readOrdinal: Math.min(readOrdinal, last.ordinal),
  };
}
