import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import { hex } from "../../internal/base/ids.ts";
import type { Thread as WireThread } from "../../internal/gen/heddle/thread/v1/thread_pb.js";
import type { Events } from "../model/events.ts";
import type { Entry, Head, OutboxItem, Receipt, Thread } from "../model/model.ts";
import type { Place } from "../model/place.ts";
import type { Keeper } from "../storage/keeper.ts";
import type { Json } from "../storage/storage.ts";
import { toHead } from "../transport/wire.ts";
import { OwnEntries } from "./own-entries.ts";
import { type Read, ThreadState } from "./thread-state.ts";

/** Held of all threads; beyond it the threads that changed longest ago keep their newest entry only. */
const HELD_BYTES = 32 * 1024 * 1024;

export interface ThreadsDeps {
  readonly userId: string;
  readonly events: Events;
  readonly keeper: Keeper;
  /** The log epoch of now. */
  readonly logEpoch: () => number;
  /** Something is missing in a thread: pull it. */
  readonly onMissing: (state: ThreadState) => void;
  /** Everything up to the position is now on this device by a pull, which no ack covers. */
  readonly onPulled: (state: ThreadState) => void;
}

/** The user's threads as this device knows them, and the one place where they change. */
export class Threads {
  readonly #deps: ThreadsDeps;
  /** By id, the ones whose entries came last at the end. */
  readonly #states = new Map<string, ThreadState>();
  readonly #own: OwnEntries;
  #bytes = 0;

  constructor(deps: ThreadsDeps) {
    this.#deps = deps;
    this.#own = new OwnEntries(deps.userId);
  }

  /** Takes what an earlier run kept. */
  load(kept: ReadonlyMap<string, Json>): void {
    for (const [key, value] of kept) {
      const [table, threadId = ""] = key.split("/");
      if (table === "thread") {
        this.#states.set(threadId, ThreadState.fromJson(threadId, value, this.#deps.userId));
      }
    }
    for (const [key, value] of kept) {
      if (!key.startsWith("entry/")) continue;
      const entry = value as unknown as Entry;
      const state = this.#states.get(entry.threadId);
      if (state) this.#hold(state, [entry]);
      state?.noteOwn(entry);
      this.#deps.keeper.knowEntry(key, entry);
    }
    // Earlier versions kept no tops: all that they held is of one history.
    for (const state of this.#states.values()) if (!state.logEpoch) state.tops.prove(state.log.last);
  }

  get(threadId: string): ThreadState | undefined {
    return this.#states.get(threadId);
  }

  /** The state of a thread, made if this device has not heard of it. */
  ensure(threadId: string): ThreadState {
    const known = this.#states.get(threadId);
    if (known) return known;
    const state = new ThreadState(threadId, this.#deps.userId, this.#deps.logEpoch());
    this.#states.set(threadId, state);
    return state;
  }

  /** Every thread that this device has heard of. */
  all(): readonly ThreadState[] {
    return [...this.#states.values()];
  }

  /** Groups with entries, direct threads with messages, and what is damaged; the most recent first. */
  list(): readonly Thread[] {
    return [...this.#states.values()]
      .filter(({ row, log: { head } }) => row && (row.isDamaged || (row.group ? head.seq : head.ordinal) > 0))
      .map((state) => state.view(this.#deps.userId))
      .sort((a, b) => b.updatedAtMs - a.updatedAtMs || (a.threadId < b.threadId ? -1 : 1));
  }

  /**
   * Takes a thread row. `isFirst`: this device has never been caught up, so what the user has read elsewhere is
   * history and not news; later an unknown thread is new as a whole.
   */
  takeRow(wire: WireThread, isFirst: boolean): ThreadState {
    const state = this.ensure(hex(wire.threadId));
    const isNew = state.row === undefined && state.log.position === 0;
    state.takeRow(wire);
    const readSeq = Number(wire.readSeq);
    if ((isNew && isFirst) || state.isDropped) {
      state.log.startAt(readSeq);
      state.reportedSeq = state.log.position;
    }
    state.isDropped = false;
    const readOrdinal = Number(wire.readOrdinal);
    state.takeRead(toHead(wire.head), { readSeq, readOrdinal, unread: wire.unread });
    if (state.unconfirmedReadSeq <= readSeq) state.unconfirmedReadSeq = 0;
    // A position that a row had confirmed, and whose row was put back since, is said again.
    if (state.readSeq > readSeq) state.unconfirmedReadSeq = state.readSeq;
    this.changed(state);
    if (state.log.missing()) this.#deps.onMissing(state);
    return state;
  }

  /** Takes the row in the answer to a call. */
  takeAnswer(wire: WireThread | undefined): Thread {
    if (!wire) throw new HeddleError(Code.INTERNAL, ErrorReason.UNSPECIFIED, "an answer without its thread");
    return this.takeRow(wire, false).view(this.#deps.userId);
  }

  /** Learns that a thread reaches at least to `head`. */
  takeHead(threadId: string, head: Head): void {
    const state = this.ensure(threadId);
    if (state.log.learn(head)) this.changed(state);
    if (state.log.missing() && !state.isDropped) this.#deps.onMissing(state);
  }

  /** Takes entries from the stream or a pull, and says those whose turn has come. */
  takeEntries(state: ThreadState, entries: readonly Entry[], source: "stream" | "pull" | "own"): void {
    const before = state.log.position;
    const news = entries.filter((entry) => !state.log.get(entry.seq));
    for (const entry of news) state.follow(entry, this.#deps.userId);
    const due = [...this.#hold(state, news)];
    let own = this.#own.nextEntry(state.threadId, state.log);
    while (own) {
      news.push(own);
      due.push(...this.#hold(state, [own]));
      own = this.#own.nextEntry(state.threadId, state.log);
    }
    for (const entry of news) {
      this.#deps.keeper.keepEntry(entry);
      state.noteOwn(entry);
    }
    state.tops.take(news, state.logEpoch === this.#deps.logEpoch(), state.log.last);
    for (const entry of due) {
      const isOwnNext = entry.sender === this.#deps.userId && state.readSeq >= entry.seq - 1;
      if (isOwnNext) state.raiseRead(entry.seq, entry.ordinal);
    }
    if (news.length > 0) {
      this.changed(state, () => {
        for (const entry of due) this.#deps.events.emit({ type: "entry", entry });
      });
    }
    if (source === "own" && state.reportedSeq === before) state.reportedSeq = state.log.position;
    if (source === "pull" && state.log.position > before) this.#deps.onPulled(state);
    // Where a dropped thread begins for this user its row says, which is on its way.
    if (state.log.missing() && !state.isDropped) this.#deps.onMissing(state);
  }

  /** The server has lost these entries: they are missing no more, and what comes behind them is said. */
  takeLost(state: ThreadState, fromSeq: number, toSeq: number): void {
    state.hasLost = true;
    state.log.passLost(fromSeq, toSeq);
    this.changed(state);
    this.takeEntries(state, [], "pull");
  }

  /** Drops all, and keeps nothing of it. */
  dropAll(): void {
    for (const state of this.#states.values()) {
      this.dropEntries(state);
      this.#deps.keeper.mark(`thread/${state.threadId}`, () => undefined);
    }
  }

  /** Forgets how far others have got: it is read again where a person looks. */
  forgetReceipts(): void {
    for (const state of this.#states.values()) {
      state.receipts.clear();
      this.keepState(state);
    }
  }

  /** Drops what is held of a thread: the server has something else. A view of it begins again. */
  dropEntries(state: ThreadState): void {
    this.#bytes -= state.log.bytes;
    state.drop();
    this.#own.forget(state.threadId);
    this.#deps.keeper.dropEntries(state.threadId);
    this.keepState(state);
    this.#deps.events.emit({ type: "dropped", threadId: state.threadId });
  }

  /** Takes an own send at its place in the log. Without the entry before it at hand it is pulled with the gap. */
  takeOwn(item: OutboxItem, place: Place): void {
    const state = this.ensure(place.threadId);
    const { seq, createdAtMs } = place;
    if (item.to !== undefined && !state.row) {
      // The server has made the row; its own words come with the next sync.
      const participants = [this.#deps.userId, item.to].sort();
      const rest = { isMuted: false, isBlocked: false, group: undefined };
      state.row = { kind: "direct", participants, updatedAtMs: createdAtMs ?? 0, ...rest };
    }
    // Composed on this device, which held the thread so far: that is read, and the server has taken it so. Whether it
    // has written it a row tells.
    const readSeq = Math.min(item.baseSeq, seq - 1);
    if (state.raiseRead(readSeq)) state.unconfirmedReadSeq = readSeq;
    state.noteOwn({ sender: this.#deps.userId, seq, body: { kind: "text", text: item.text } });
    this.#own.addSent(item, place.threadId);
    this.takeEntries(state, [], "own");
    const { head } = state.log;
    if (seq > head.seq) this.takeHead(place.threadId, { seq, ordinal: head.ordinal + 1 });
  }

  /** Takes what the server says of the user's read position, and of what is unread. */
  takeRead(threadId: string, head: Head, read: Read): void {
    const state = this.ensure(threadId);
    this.takeHead(threadId, head);
    if (state.takeRead(head, read)) this.changed(state);
  }

  /** Takes a member's positions. The user's own, from another device, are its read position. */
  takeReceipt(receipt: Receipt, readOrdinal: number): void {
    const state = this.ensure(receipt.threadId);
    const isOwn = receipt.userId === this.#deps.userId;
    const isNews = isOwn ? state.raiseRead(receipt.readSeq, readOrdinal) : state.raiseReceipt(receipt);
    const merged = state.receipts.get(receipt.userId) ?? receipt; // What is told may be old in one of its positions.
    if (isNews) this.changed(state, () => this.#deps.events.emit({ type: "receipt", receipt: merged }));
  }

  /** Keeps a thread and says that it changed; `first` runs before that is said. */
  changed(state: ThreadState, first?: () => void): void {
    this.keepState(state);
    first?.();
    if (state.row) {
      this.#deps.events.emit({ type: "thread_changed", thread: state.view(this.#deps.userId) });
    }
  }

  /** Holds entries within the bound of all threads, and returns those whose turn has come. */
  #hold(state: ThreadState, entries: readonly Entry[]): readonly Entry[] {
    const before = state.log.bytes;
    const due = state.log.takeEntries(entries);
    this.#bytes += state.log.bytes - before;
    this.#states.delete(state.threadId);
    this.#states.set(state.threadId, state);
    if (this.#bytes > HELD_BYTES) this.#shrink(state);
    return due;
  }

  #shrink(newest: ThreadState): void {
    for (const state of this.#states.values()) {
      if (this.#bytes <= HELD_BYTES / 2) return;
      if (state === newest || state.log.isOpen) continue;
      const before = state.log.bytes;
      state.log.shrink();
      this.#bytes += state.log.bytes - before;
    }
  }

  /** Keeps a thread. */
  keepState(state: ThreadState): void {
    this.#deps.keeper.mark(`thread/${state.threadId}`, () => state.toJson());
  }
}
