import type { Entry, Receipt, Thread } from "./model.ts";
import type { Json } from "./storage.ts";
import { ThreadLog } from "./thread-log.ts";

/** What a thread row says of a thread, as far as clients need it. */
export interface Row {
  readonly kind: Thread["kind"];
  readonly participants: readonly string[];
  readonly updatedAtMs: number;
  readonly isMuted: boolean;
}

/** Everything this device knows of one thread. */
export class ThreadState {
  readonly threadId: string;
  log = new ThreadLog();
  /** Undefined until a row came: an entry may come first. */
  row: Row | undefined;
  /** The user's own read position. */
  readSeq = 0;
  readOrdinal = 0;
  /** A read position of this device that no thread row has confirmed yet; 0 for none (docs/design.md, section 5). */
  unconfirmedReadSeq = 0;
  /** The server knows that everything up to it is on this device. */
  reportedSeq = 0;
  /** The other members' positions, by user. */
  readonly receipts = new Map<string, Receipt>();

  constructor(threadId: string) {
    this.threadId = threadId;
  }

  /** Raises the read position; a lower one changes nothing. Returns whether it rose. */
  raiseRead(seq: number, ordinal?: number): boolean {
    if (seq <= this.readSeq) return false;
    this.readSeq = seq;
    this.readOrdinal = Math.max(this.readOrdinal, ordinal ?? this.log.ordinalAt(seq) ?? 0);
    return true;
  }

  /** Merges a member's positions: each only grows. Returns whether one grew. */
  raiseReceipt(receipt: Receipt): boolean {
    const known = this.receipts.get(receipt.userId);
    const deliveredSeq = Math.max(known?.deliveredSeq ?? 0, receipt.deliveredSeq, receipt.readSeq);
    const readSeq = Math.max(known?.readSeq ?? 0, receipt.readSeq);
    if (known && deliveredSeq === known.deliveredSeq && readSeq === known.readSeq) return false;
    this.receipts.set(receipt.userId, { ...receipt, deliveredSeq, readSeq });
    return true;
  }

  /** How far the others have got with an entry of the user's own. All of them, for more than one. */
  reached(seq: number): "sent" | "delivered" | "read" {
    const others = [...this.receipts.values()];
    if (others.length === 0) return "sent";
    if (others.every((receipt) => receipt.readSeq >= seq)) return "read";
    return others.every((receipt) => receipt.deliveredSeq >= seq) ? "delivered" : "sent";
  }

  /** The thread as `userId` sees it. */
  view(userId: string): Thread {
    const last: Entry | undefined = this.log.last;
    const isAllRead = this.readSeq >= this.log.head.seq;
    return {
      threadId: this.threadId,
      kind: this.row?.kind ?? "other",
      peer: this.peer(userId),
      updatedAtMs: Math.max(last?.createdAtMs ?? 0, this.row?.updatedAtMs ?? 0),
      isMuted: this.row?.isMuted ?? false,
      head: this.log.head,
      readSeq: this.readSeq,
      unread: isAllRead ? 0 : Math.max(0, this.log.head.ordinal - this.readOrdinal),
      last,
    };
  }

  /** The other user of a direct thread. */
  peer(userId: string): string | undefined {
    if (this.row && this.row.kind !== "direct") return undefined;
    return this.row?.participants.find((participant) => participant !== userId);
  }

  toJson(): Json {
    return {
      position: this.log.position,
      head: [this.log.head.seq, this.log.head.ordinal],
      row: this.row ? { ...this.row } : null,
      read: [this.readSeq, this.readOrdinal, this.unconfirmedReadSeq],
      reported: this.reportedSeq,
      receipts: [...this.receipts.values()].map((r) => [r.userId, r.deliveredSeq, r.readSeq]),
    };
  }

  static fromJson(threadId: string, json: Json): ThreadState {
    const kept = json as unknown as Kept;
    const state = new ThreadState(threadId);
    state.log = new ThreadLog(kept.position, { seq: kept.head[0], ordinal: kept.head[1] });
    state.row = kept.row ?? undefined;
    [state.readSeq, state.readOrdinal, state.unconfirmedReadSeq] = kept.read;
    state.reportedSeq = kept.reported;
    for (const [userId, deliveredSeq, readSeq] of kept.receipts) {
      state.receipts.set(userId, { threadId, userId, deliveredSeq, readSeq });
    }
    return state;
  }
}

interface Kept {
  readonly position: number;
  readonly head: readonly [number, number];
  readonly row: Row | null;
  readonly read: readonly [number, number, number];
  readonly reported: number;
  readonly receipts: readonly (readonly [string, number, number])[];
}
