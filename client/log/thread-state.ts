import { ThreadKind, type Thread as WireThread } from "../../internal/gen/heddle/thread/v1/thread_pb.js";
import type { Entry, Head, Receipt, Thread } from "../model/model.ts";
import type { Json } from "../storage/storage.ts";
import { toHead } from "../transport/wire.ts";
import { type GroupState, groupAfter, groupOfRow, spansOf } from "./group-state.ts";
import { type KeptOwn, OwnUnread } from "./own-unread.ts";
import { ThreadLog } from "./thread-log.ts";
import { type KeptTops, type Top, Tops } from "./tops.ts";

/** What a thread row says of a thread, as far as clients need it. */
export interface Row {
  readonly kind: Thread["kind"];
  readonly participants: readonly string[];
  readonly updatedAtMs: number;
  readonly isMuted: boolean;
  /** The user has blocked the other one. */
  readonly isBlocked: boolean;
  /** The server cannot read the thread's log. Not known to earlier versions. */
  readonly isDamaged?: boolean;
  /** Of a group only. */
  readonly group: GroupState | undefined;
}

/** What the server says of a user's read position. */
export interface Read {
  readonly readSeq: number;
  readonly readOrdinal: number;
  /** Messages of others above it; undefined where it was not told. */
  readonly unread: number | undefined;
}

/** So many, or more: then the server has told no number. */
const MOST_UNREAD = 1_000;

/** Everything this device knows of one thread. */
export class ThreadState {
  readonly threadId: string;
  readonly #userId: string;
  log = new ThreadLog();
  /** Undefined until a row came: an entry may come first. */
  row: Row | undefined;
  /** The user's own read position. */
  readSeq = 0;
  readOrdinal = 0;
  /** One's own messages above it. */
  own = new OwnUnread();
  /** A read position of this device that no thread row has confirmed yet; 0 for none (docs/design.md, section 5). */
  unconfirmedReadSeq = 0;
  /** The server knows that everything up to it is on this device. */
  reportedSeq = 0;
  /** The other members' positions, by user. */
  readonly receipts = new Map<string, Receipt>();
  /** The log epoch under which what is held is known to be what the server has; 0 for none. Written by History. */
  logEpoch: number;
  /** By which entries what is held is compared. */
  tops = new Tops();
  /** What was held was dropped, and the next row says where to begin. */
  isDropped = false;
  /** The server has said of entries that they are lost. */
  hasLost = false;

  /** `userId`: whose thread it is. `logEpoch`: of now, since nothing is held yet. */
  constructor(threadId: string, userId = "", logEpoch = 0) {
    this.threadId = threadId;
    this.#userId = userId;
    this.logEpoch = logEpoch;
  }

  /** Nothing is known that could be of another history. */
  get isEmpty(): boolean {
    return !this.tops.proved && this.log.head.seq === 0;
  }

  /** The user is no member any more. */
  get hasLeft(): boolean {
    return this.row?.group?.hasLeft ?? false;
  }

  /** The first entry that the user may see. */
  get firstSeq(): number {
    const group = this.row?.group;
    return Math.max(1, group ? (spansOf(group)[0]?.firstSeq ?? 1) : 1);
  }

  /** Takes what a row says, the head and where the log begins and ends for the user with it. */
  takeRow(wire: WireThread): void {
    const known = this.row?.group;
    const group = wire.kind === ThreadKind.GROUP ? groupOfRow(wire, known) : undefined;
    this.row = {
      kind: kinds[wire.kind] ?? "other",
      participants: wire.participants,
      updatedAtMs: Number(wire.updatedAtMs),
      isMuted: wire.isMuted,
      isBlocked: wire.isBlocked,
      isDamaged: wire.isDamaged,
      group,
    };
    if (group && group !== known) this.#bound(group, wire.head);
    this.log.learn(toHead(wire.head));
  }

  /** Takes what the server says of the read position, and of what is unread above it up to a head. */
  takeRead(head: Head, { readSeq, readOrdinal, unread }: Read): boolean {
    const before = this.#unread;
    const isKnown = unread !== undefined && unread < MOST_UNREAD;
    const isRaised = this.raiseRead(readSeq, readOrdinal); // First: what is told is counted above that position.
    if (isKnown) this.own.setToldCount(Math.max(0, head.ordinal - readOrdinal - unread), head.seq);
    if (isKnown && this.readSeq > readSeq) this.#passOwn(readSeq, this.readSeq);
    return isRaised || this.#unread !== before;
  }

  /** An entry is in the log: of one's own messages those above the read position are noted. */
  noteOwn({ sender, seq, body }: Pick<Entry, "sender" | "seq" | "body">): void {
    if (sender === this.#userId && body.kind === "text" && seq > this.readSeq) this.own.addOwnMessage(seq);
  }

  /** Takes what an entry says of a group and of the user in it, before the entry itself is taken. */
  follow(entry: Entry, userId: string): void {
    const { body } = entry;
    if (body.kind !== "member_change" && body.kind !== "setting_change") return;
    const known = this.row?.group;
    const group = known && groupAfter(known, entry, userId);
    if (this.row && group !== known) this.row = { ...this.row, group };
    const isNews = !known || entry.seq >= known.membersSeq;
    if (body.kind !== "member_change" || !isNews) return;
    for (const gone of body.removed) this.receipts.delete(gone);
    if (group && group !== known) this.#bound(group, entry);
    if (!body.added.some((member) => member.userId === userId)) return;
    // Taken for a member until now: where that span ended the row tells.
    if (!known || (group !== known && !known.hasLeft)) this.log.beginAt(entry.seq);
    // What was said before is no news to a newcomer.
    this.raiseRead(entry.seq, entry.ordinal);
  }

  #bound(
    group: GroupState,
    head: { readonly seq: bigint | number; readonly ordinal: bigint | number } | undefined,
  ): void {
    if (group.hasLeft) this.log.endAt({ seq: Number(head?.seq ?? 0), ordinal: Number(head?.ordinal ?? 0) });
    else this.log.goOn();
    this.log.see(spansOf(group));
  }

  /** Forgets all but who the two of a direct thread are, and whether a person looks at it. */
  drop(): void {
    const { isOpen } = this.log;
    this.log = new ThreadLog();
    this.log.isOpen = isOpen;
    if (this.row?.kind !== "direct") this.row = undefined;
    this.tops = new Tops();
    this.own = new OwnUnread();
    this.isDropped = true;
    this.hasLost = false;
    this.readSeq = this.readOrdinal = this.unconfirmedReadSeq = this.reportedSeq = 0;
    this.receipts.clear();
  }

  /** Raises the read position; a lower one changes nothing. Returns whether it rose. */
  raiseRead(seq: number, ordinal?: number): boolean {
    if (seq <= this.readSeq) return false;
    this.#passOwn(this.readSeq, seq);
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

  /** How far the others have got with an entry of the user's own: in a group, the first of them. Not in a large one. */
  reached(seq: number): "sent" | "delivered" | "read" {
    if (this.row?.group?.isLarge) return "sent";
    const others = [...this.receipts.values()];
    if (others.some((receipt) => receipt.readSeq >= seq)) return "read";
    return others.some((receipt) => receipt.deliveredSeq >= seq) ? "delivered" : "sent";
  }

  /** The thread as `userId` sees it. */
  view(userId: string): Thread {
    const last: Entry | undefined = this.log.last;
    const group = this.row?.group;
    return {
      threadId: this.threadId,
      kind: this.row?.kind ?? "other",
      peer: this.peer(userId),
      name: group?.name,
      memberCount: group?.memberCount ?? 0,
      role: group?.role,
      hasLeft: this.hasLeft,
      isLarge: group?.isLarge ?? false,
      isBlocked: this.row?.isBlocked ?? false,
      isDamaged: this.hasLost || (this.row?.isDamaged ?? false),
      updatedAtMs: Math.max(last?.createdAtMs ?? 0, this.row?.updatedAtMs ?? 0),
      isMuted: this.row?.isMuted ?? false,
      head: this.log.head,
      readSeq: this.readSeq,
      unread: this.#unread,
      last,
    };
  }

  /** Messages of others above the read position, up to the head. */
  get #unread(): number {
    const { head } = this.log;
    return this.readSeq >= head.seq ? 0 : Math.max(0, head.ordinal - this.readOrdinal - this.own.count);
  }

  #passOwn(fromSeq: number, toSeq: number): void {
    this.own.raiseRead(fromSeq, toSeq, (seq) => {
      const entry = this.log.get(seq);
      return entry?.sender === this.#userId && entry.body.kind === "text";
    });
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
      row: this.row ? (this.row as unknown as Json) : null,
      read: [this.readSeq, this.readOrdinal, this.unconfirmedReadSeq],
      own: this.own.toJson(),
      reported: this.reportedSeq,
      receipts: [...this.receipts.values()].map((r) => [r.userId, r.deliveredSeq, r.readSeq]),
      epoch: this.logEpoch,
      ...(this.tops.proved && { top: { ...this.tops.proved } }),
      ...(this.tops.toKeep && { tops: this.tops.toKeep as unknown as Json }),
      ...(this.isDropped && { isDropped: true }),
      ...(this.hasLost && { hasLost: true }),
    };
  }

  static fromJson(threadId: string, json: Json, userId = ""): ThreadState {
    const kept = json as unknown as Kept;
    const state = new ThreadState(threadId, userId, kept.epoch);
    state.tops = Tops.fromJson(kept.top, kept.tops);
    state.isDropped = kept.isDropped ?? false;
    state.hasLost = kept.hasLost ?? false;
    state.log = new ThreadLog(kept.position, { seq: kept.head[0], ordinal: kept.head[1] });
    // Rows of earlier versions know of no blocks and no groups.
    state.row = kept.row ? { ...kept.row, isBlocked: kept.row.isBlocked ?? false } : undefined;
    if (state.row?.group) state.#bound(state.row.group, state.log.head);
    [state.readSeq, state.readOrdinal, state.unconfirmedReadSeq] = kept.read;
    if (kept.own) state.own = OwnUnread.fromJson(kept.own); // Not kept by earlier versions.
    state.reportedSeq = kept.reported;
    for (const [userId, deliveredSeq, readSeq] of kept.receipts) {
      state.receipts.set(userId, { threadId, userId, deliveredSeq, readSeq });
    }
    return state;
  }
}

const kinds: { readonly [kind in ThreadKind]?: Thread["kind"] } = {
  [ThreadKind.DIRECT]: "direct",
  [ThreadKind.GROUP]: "group",
};

interface Kept {
  readonly position: number;
  readonly head: readonly [number, number];
  readonly row: Row | null;
  readonly read: readonly [number, number, number];
  readonly own?: KeptOwn;
  readonly reported: number;
  readonly receipts: readonly (readonly [string, number, number])[];
  /** Not of earlier versions. */
  readonly epoch?: number;
  readonly top?: Top;
  readonly tops?: KeptTops;
  readonly isDropped?: boolean;
  readonly hasLost?: boolean;
}
