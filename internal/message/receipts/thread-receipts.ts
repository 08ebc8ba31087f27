import type { Head } from "../../base/head.ts";
import type { Positions } from "../cells/receipt-cell.ts";
import type { ThreadLog } from "../log/thread-log.ts";

/** What is remembered of one thread's receipts. */
export class ThreadReceipts {
  readonly key: string;
  readonly threadId: Uint8Array;
  /** The log as it came last: it knows whom to tell. */
  log: ThreadLog;
  readonly users = new Map<string, Positions>();
  /** How many of them were loaded: what it is counted with. */
  positions = 0;
  /** Whether the stored positions are in `users`. */
  loaded = false;
  loading: Promise<void> | undefined;
  /** A head that was read or made: what positions may reach without another look. */
  known: Pick<Head, "seq" | "ordinal"> = { seq: 0, ordinal: 0 };
  flushedAtMs = Number.NEGATIVE_INFINITY;
  /** Users whose positions the store does not have yet. */
  readonly unwritten = new Set<string>();
  /** Users whose positions others have not heard. */
  readonly untold = new Map<string, Untold>();

  constructor(log: ThreadLog) {
    this.key = log.key;
    this.threadId = log.threadId;
    this.log = log;
  }

  /** Notes that others are to hear of a user's positions. Where two sessions said them, each hears of the other's. */
  tell(userId: string, { originSession, isRead }: Untold): void {
    const before = this.untold.get(userId);
    const isSame = !before || before.originSession === originSession;
    const origin = isSame ? originSession : "";
    this.untold.set(userId, { originSession: origin, isRead: isRead || (before?.isRead ?? false) });
  }
}

/** Positions that the others have not heard. */
export interface Untold {
  /** The session that said them; "" for several. */
  readonly originSession: string;
  /** Whether what was read is among them, or only what was delivered. */
  readonly isRead: boolean;
}

/** A user's positions, to be changed in place. */
export function positionOf(thread: ThreadReceipts, userId: string): Positions {
  let mine = thread.users.get(userId);
  if (!mine) {
    mine = { deliveredSeq: 0, readSeq: 0, readOrdinal: 0 };
    thread.users.set(userId, mine);
  }
  return mine;
}

/** Of each position the higher one. */
export function highest(a: Positions, b: Positions): Positions {
  const read = a.readSeq >= b.readSeq ? a : b;
  return {
    deliveredSeq: Math.max(a.deliveredSeq, b.deliveredSeq),
    readSeq: read.readSeq,
    readOrdinal: read.readOrdinal,
  };
}

/** What others are told of one who hides: what was read was delivered, and no more. */
export function withheld(positions: Positions): Positions {
  return { ...positions, deliveredSeq: positions.readSeq };
}
