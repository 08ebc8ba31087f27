import type { Head } from "../../base/head.ts";
import type { Counted, Own, Positions } from "../cells/receipt-cell.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import { MemoryShare } from "../memory-use.ts";
import { RecentMessages } from "./recent-messages.ts";

/** What a thread without positions takes, and a position besides its user_id, in bytes: receipts-memory.test.ts. */
const THREAD_BYTES = 1_800;
const POSITION_BYTES = 190;
const OWN_BYTES = 190;

/** What is remembered of one thread's receipts. */
export class ThreadReceipts {
  readonly key: string;
  readonly threadId: Uint8Array;
  /** What is remembered of it, in bytes. */
  readonly memory: MemoryShare;
  readonly #users = new Map<string, Positions>();
  /** Whether the stored positions are in `users`. */
  loaded = false;
  loading: Promise<void> | undefined;
  /** A head that was read or made: what positions may reach without another look. */
  known: Pick<Head, "seq" | "ordinal"> = { seq: 0, ordinal: 0 };
  /** By user, those who have a message of their own among the counted ones. */
  readonly own = new Map<string, Own>();
  /** Up to where all messages are counted to their senders; undefined: none was ever. */
  get counted(): Counted | undefined {
    return this.#counted;
  }
  #counted: Counted | undefined;
  /** The last of the counted messages. */
  readonly recent: RecentMessages;
  /** Messages that were accepted while earlier ones are counted from the log. */
  readonly uncounted: OwnMessage[] = [];
  /** The newest count from the log that is under way. */
  counting: Promise<void> | undefined;
  flushedAtMs = Number.NEGATIVE_INFINITY;
  /** The newest flush that is under way. Never rejects. */
  flushing: Promise<void> | undefined;
  /** Users whose positions the store does not have yet. */
  readonly unwritten = new Set<string>();
  /** Of these, whose thread rows are to get a copy of what they have read, once it is written. */
  readonly uncopied = new Set<string>();
  /** Of these, whose positions others are to hear of, once they are written. */
  readonly untold = new Map<string, Untold>();

  constructor({ key, threadId }: ThreadLog, memory = new MemoryShare()) {
    this.key = key;
    this.threadId = threadId;
    this.memory = memory;
    memory.addBytes(THREAD_BYTES);
    this.recent = new RecentMessages(memory);
  }

  /** A user's positions, to be changed in place. */
  positionOf(userId: string): Positions {
    let mine = this.#users.get(userId);
    if (!mine) {
      mine = { deliveredSeq: 0, readSeq: 0, readOrdinal: 0 };
      this.#users.set(userId, mine);
      this.memory.addBytes(POSITION_BYTES + userId.length);
    }
    return mine;
  }

  /** Counts a message to its sender. Messages come in order of seq, without a gap. */
  countMessage(userId: string, at: Counted): void {
    const own = this.countOwn(userId, at.seq);
    this.recent.note(at, own);
    this.#counted = at;
  }

  /** All messages up to here have been counted; undefined: none was ever. */
  setCounted(counted: Counted | undefined): void {
    this.#counted = counted;
    this.recent.reach(counted?.seq ?? 0);
  }

  /** Counts a message to its sender, unless it was counted before. Returns the sender's count. */
  countOwn(userId: string, seq: number): Own {
    const { readSeq } = this.positionOf(userId);
    let own = this.own.get(userId);
    if (!own) {
      own = { readSeq, lastSeq: 0, count: 0 };
      this.own.set(userId, own);
      this.memory.addBytes(OWN_BYTES + userId.length);
    }
    if (seq <= own.lastSeq) return own;
    own.lastSeq = seq;
    if (seq > own.readSeq) own.count += 1;
    this.unwritten.add(userId);
    return own;
  }

  /** The user came in by the entry `seq`: what it wrote in an earlier stay lies below what it has read by that. */
  beginOwn(userId: string, seq: number): void {
    const own = this.own.get(userId);
    if (!own || own.count === 0 || own.lastSeq > seq) return;
    own.count = 0;
    this.recent.disown(own);
    this.unwritten.add(userId);
  }

  /** Notes that others are to hear of a user's positions. Where two sessions said them, each hears of the other's. */
  tellPositions(userId: string, { log, originSession, isRead }: Untold): void {
    const before = this.untold.get(userId);
    const isSame = !before || before.originSession === originSession;
    if (before?.log === log && isSame && (before.isRead || !isRead)) return; // As most are.
    const origin = isSame ? originSession : "";
    this.untold.set(userId, { log, originSession: origin, isRead: isRead || (before?.isRead ?? false) });
  }
}

/** A message that was accepted. */
export interface OwnMessage {
  /** Its sender. */
  readonly userId: string;
  readonly at: Counted;
  /** The entry by which the sender came into the group; 0 in a direct thread. */
  readonly joinedSeq: number;
}

/** Positions that the others have not heard. */
export interface Untold {
  /** The log as it came last: it knows which users to tell. */
  readonly log: ThreadLog;
  /** The session that said them; "" for several. */
  readonly originSession: string;
  /** Whether what was read is among them, or only what was delivered. */
  readonly isRead: boolean;
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
