import { isLogDamaged, overloaded } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import { type Counted, ownCountsOf, type Positions, positionsOf } from "../cells/receipt-cell.ts";
import type { Range } from "../group/membership.ts";
import type { HeadReader } from "../log/head-finder.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import { MemoryUse } from "../memory-use.ts";
import type { Threads } from "../ports.ts";
import { OwnMessages } from "./own-messages.ts";
import { ReadPositions } from "./read-positions.ts";
import { type FlushPorts, ReceiptFlushes } from "./receipt-flushes.ts";
import { RowCopies } from "./row-copies.ts";
import { highest, ThreadReceipts } from "./thread-receipts.ts";

/** What positions of all threads may take, in bytes; beyond it clean ones are forgotten, the longest unused first. */
const MAX_BYTES = 128 << 20;

export interface RaisedReceipt {
  readonly userId: string;
  readonly deliveredSeq: number;
  readonly readSeq: number;
  readonly originSession: string;
}

/** A message that a user has sent. */
export interface OwnSend {
  readonly userId: string;
  readonly baseSeq: number;
  /** The session that sent it; "" for none. */
  readonly originSession: string;
}

/** A thread whose unread messages are asked for. */
export interface UnreadQuery {
  readonly threadId: Uint8Array;
  /** As far as the user may see. */
  readonly head: Counted;
  /** What the thread row says, which may be a minute old. */
  readonly row: Pick<Positions, "readSeq" | "readOrdinal">;
  /** For an exact count. */
  readonly log?: ThreadLog;
}

export interface Unread {
  readonly readSeq: number;
  readonly readOrdinal: number;
  /** Messages of others above it, at most MOST_UNREAD, which means: so many or more. */
  readonly unread: number;
}

/** One more than clients show. */
export const MOST_UNREAD = 1_000;

/** Where a user may come in a group. */
export interface Reach {
  /** What the user may see, where `seq` is within it for certain: by what is known if that is enough, else read now. */
  reachableRange(log: ThreadLog, userId: string, seq: number): Range | Promise<Range>;
}

export interface ReceiptPorts extends FlushPorts {
  readonly heads: HeadReader;
  readonly reader: Reach;
  readonly threads: Threads;
  /** What all that is remembered may take, in bytes: 128 MiB but in tests. */
  readonly maxBytes?: number;
}

/**
 * How far users have got in threads. Positions only grow, are clamped to a head read from the store, and are written
 * to family `r`, whose highest timestamp stays; thread rows get a copy once a minute and when a session ends.
 */
export class Receipts {
  readonly #ports: ReceiptPorts;
  readonly #threads = new Map<string, ThreadReceipts>();
  readonly #memory = new MemoryUse();
  readonly #maxBytes: number;
  readonly #flushes: ReceiptFlushes;
  readonly #copies: RowCopies;
  readonly #own: OwnMessages;
  readonly #reads: ReadPositions;

  constructor(ports: ReceiptPorts) {
    this.#ports = ports;
    this.#maxBytes = ports.maxBytes ?? MAX_BYTES;
    this.#copies = new RowCopies(ports.threads, ports.clock);
    this.#own = new OwnMessages(ports.store);
    this.#reads = new ReadPositions(ports.store, this.#own);
    this.#flushes = new ReceiptFlushes(ports, this.#copies, this.#own);
  }

  /** What all that is remembered takes, in bytes. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /**
   * Raises a member's own positions. Resolves when they are taken: written within about a second, and told after that.
   * Rejects with OVERLOADED where too much waits to be written.
   */
  async raise(log: ThreadLog, raised: RaisedReceipt): Promise<void> {
    if (log.membership.audience.isLarge && raised.readSeq === 0) return; // What was delivered counts for nothing there.
    await this.#raise(log, this.#opened(log) ?? (await this.#open(log)), raised);
  }

  /** The same where the thread is open: at once, unless the store has to be read for it. */
  #raise(log: ThreadLog, thread: ThreadReceipts, raised: RaisedReceipt): Promise<void> | undefined {
    const range = this.#range(log, thread, raised);
    if (!(range instanceof Promise)) return this.#raiseWithin(log, thread, raised, range);
    return range.then((read) => this.#raiseWithin(log, thread, raised, read));
  }

  #raiseWithin(
    log: ThreadLog,
    thread: ThreadReceipts,
    raised: RaisedReceipt,
    { firstSeq, last }: Range,
  ): Promise<void> | undefined {
    const readSeq = Math.min(raised.readSeq, last.seq);
    const { userId } = raised;
    const mine = thread.positionOf(userId);
    // A newcomer has read up to where it joined, last if it came back: its row says so, and no cell need.
    const floor = log.isGroup ? firstSeq : 0;
    const delivered = log.membership.audience.isLarge ? 0 : Math.min(raised.deliveredSeq, last.seq);
    const reached = { deliveredSeq: Math.max(readSeq, delivered), floor };
    if (readSeq > Math.max(mine.readSeq, floor)) {
      const hasRisen = this.#reads.raise(thread, userId, readSeq, last);
      if (hasRisen instanceof Promise)
        return hasRisen.then((risen) => this.#noteRaised(log, thread, raised, reached, risen));
      this.#noteRaised(log, thread, raised, reached, hasRisen);
      return undefined;
    }
    // A client repeats what its thread row does not show: the row's copy was lost.
    if (raised.readSeq > 0) this.#copyAgain(thread, userId, mine);
    this.#noteRaised(log, thread, raised, reached, false);
    return undefined;
  }

  /** Takes what was delivered, and has what has risen written and told. */
  #noteRaised(
    log: ThreadLog,
    thread: ThreadReceipts,
    { userId, originSession }: RaisedReceipt,
    { deliveredSeq, floor }: { readonly deliveredSeq: number; readonly floor: number },
    isRead: boolean,
  ): void {
    const mine = thread.positionOf(userId);
    const isDelivered = deliveredSeq > Math.max(mine.deliveredSeq, floor);
    if (isDelivered) mine.deliveredSeq = deliveredSeq;
    if (isRead || isDelivered) this.#flushes.markUser(thread, userId, { log, originSession, isRead });
  }

  #copyAgain(thread: ThreadReceipts, userId: string, { readSeq, readOrdinal }: Positions): void {
    const { threadId, key } = thread;
    if (!this.#flushes.waits(thread)) {
      this.#copies.notePosition({ ownerId: userId, threadId, readSeq, readOrdinal }, key);
    } else {
      thread.uncopied.add(userId);
      this.#flushes.markUser(thread, userId);
    }
  }

  /** How far a position may go: in a group only as far as the user may see. */
  #range(
    log: ThreadLog,
    thread: ThreadReceipts,
    { userId, deliveredSeq, readSeq }: RaisedReceipt,
  ): Range | Promise<Range> {
    const wanted = Math.max(deliveredSeq, readSeq);
    if (log.isGroup) return this.#ports.reader.reachableRange(log, userId, wanted);
    return wanted > thread.known.seq ? this.#rangeRead(log, thread) : rangeOf(thread);
  }

  async #rangeRead(log: ThreadLog, thread: ThreadReceipts): Promise<Range> {
    const head = await this.#ports.heads.readHead(log.key, log.threadId, log.cache.hint);
    if (head.seq > thread.known.seq) thread.known = head;
    return rangeOf(thread);
  }

  /**
   * A message of a user's own was accepted: it is counted as such. One that its own session has sent raises its read
   * position to the base_seq, up to which that device held the thread; one that came otherwise, as from an import or from
   * an account that acts for the user, does not. Where nothing is unread below it, the message itself is read too.
   */
  ownMessage(log: ThreadLog, send: OwnSend, at: Counted): void {
    const thread = this.#opened(log);
    if (thread) this.#ownMessage(log, thread, send, at);
    // A position that could not be loaded is not moved: the client says it again until a row confirms it.
    else
      this.#open(log).then(
        (opened) => this.#ownMessage(log, opened, send, at),
        () => {},
      );
  }

  #ownMessage(log: ThreadLog, thread: ThreadReceipts, send: OwnSend, at: Counted): void {
    const { userId, originSession } = send;
    const { seq, ordinal } = at;
    if (seq > thread.known.seq) thread.known = { seq, ordinal };
    const joinedSeq = log.membership.view?.roster.members.get(userId)?.joinedSeq ?? 0;
    this.#own.accepted(thread, { userId, at, joinedSeq });
    const mine = thread.positionOf(userId);
    const before = Math.max(mine.readSeq, joinedSeq);
    const held = originSession === "" ? before : Math.max(before, Math.min(send.baseSeq, seq - 1));
    const readSeq = held === seq - 1 ? seq : held;
    const own = thread.own.get(userId);
    // What comes after later ones of its own, as a repeat does, leaves those above it to be counted.
    if (before < seq && readSeq === seq && (own?.lastSeq ?? 0) <= seq) {
      this.#reads.setRead(thread, userId, { readSeq: seq, readOrdinal: ordinal }, 0);
      mine.deliveredSeq = Math.max(mine.deliveredSeq, seq);
    } else if (readSeq > before) {
      const raised = { userId, deliveredSeq: 0, readSeq, originSession };
      this.#raise(log, thread, raised)?.catch(() => {}); // As above.
    }
    this.#flushes.markUser(thread, userId);
  }

  /**
   * What is unread of some threads, each up to a head that the user may see: what is in the store, after what waits there
   * has been written. With `log` it is exact, whatever a server that died had not written; without, no log is read.
   */
  async unread(userId: string, threads: readonly UnreadQuery[]): Promise<ReadonlyMap<string, Unread>> {
    for (const { log, head } of threads) if (log) await this.#countUpTo(log, userId, head);
    await this.#flushes.flushUser(userId);
    const read = async (query: UnreadQuery) => {
      try {
        return [[hex(query.threadId), await this.#unread(userId, query)] as const];
      } catch (error) {
        if (isLogDamaged(error)) return [];
        throw error;
      }
    };
    return new Map((await Promise.all(threads.map(read))).flat());
  }

  async #countUpTo(log: ThreadLog, userId: string, head: Counted): Promise<void> {
    const thread = await this.#open(log);
    const before = thread.counted;
    await this.#own.countUpTo(thread, head);
    if (thread.counted !== before) this.#flushes.markUser(thread, userId);
  }

  async #unread(userId: string, { threadId, head, row }: UnreadQuery): Promise<Unread> {
    const cells = row.readOrdinal >= head.ordinal ? [] : await this.#ports.store.receiptsOf(threadId, userId);
    const cell = positionsOf(cells).get(userId);
    const { readSeq, readOrdinal } = cell && cell.readSeq > row.readSeq ? cell : row;
    const own = ownCountsOf(cells).own.get(userId);
    let ownUnread = own && own.lastSeq > readSeq ? own.count : 0;
    // Two servers may each have written one of the two cells: then the log says it, until the next flush does.
    if (own && cell && ownUnread > 0 && own.readSeq !== cell.readSeq)
      ownUnread = await this.#own.countLogged(threadId, userId, readSeq, own.lastSeq);
    const unread = Math.max(0, head.ordinal - readOrdinal - ownUnread);
    return { readSeq, readOrdinal, unread: Math.min(unread, MOST_UNREAD) };
  }

  /** Writes the user's positions, and what thread rows have not been told of them. Never rejects. */
  async flushUser(userId: string): Promise<void> {
    await this.#flushes.flushUser(userId);
    await this.#copies.flush(userId);
  }

  /** Forgets what is remembered of threads (in hex) that another server serves now, once what waits there is written. */
  async forgetLost(owns: (thread: string) => boolean): Promise<void> {
    const lost = [...this.#threads.values()].filter(({ key }) => !owns(key));
    await this.#flushes.flushThreads(lost);
    for (const thread of lost) {
      if (owns(thread.key) || this.#flushes.waits(thread) || thread.loading) continue;
      if (this.#threads.get(thread.key) !== thread) continue;
      this.#threads.delete(thread.key);
      thread.memory.releaseBytes();
    }
  }

  /** Writes everything. For shutting down. */
  async close(): Promise<void> {
    await this.#flushes.flushAll();
    await this.#copies.flushAll();
  }

  /** What is remembered of the thread; undefined where it has to be loaded. */
  #opened(log: ThreadLog): ThreadReceipts | undefined {
    const thread = this.#threads.get(log.key);
    if (!thread?.loaded) return undefined;
    this.#used(log, thread);
    return thread;
  }

  #used(log: ThreadLog, thread: ThreadReceipts): void {
    // While half the room is free nobody will be forgotten soon, and order may wait.
    if (2 * this.#memory.bytes <= this.#maxBytes) return;
    this.#threads.delete(log.key);
    this.#threads.set(log.key, thread);
  }

  async #open(log: ThreadLog): Promise<ThreadReceipts> {
    let thread = this.#threads.get(log.key);
    if (!thread) {
      if (this.#isFull()) {
        this.#forgetBeyond(undefined);
        if (this.#isFull()) throw overloaded("receipts", 1000);
      }
      thread = new ThreadReceipts(log, this.#memory.share());
      this.#threads.set(log.key, thread);
      this.#forgetBeyond(thread);
    } else this.#used(log, thread);
    if (!thread.loaded) {
      thread.loading ??= this.#load(thread);
      await thread.loading;
    }
    return thread;
  }

  async #load(thread: ThreadReceipts): Promise<void> {
    try {
      const cells = await this.#ports.store.receipts(thread.threadId);
      for (const [userId, stored] of positionsOf(cells)) {
        const mine = thread.positionOf(userId);
        Object.assign(mine, highest(stored, mine));
      }
      const { own, counted } = ownCountsOf(cells);
      for (const [userId, mine] of own) {
        thread.countOwn(userId, mine.lastSeq);
        Object.assign(thread.own.get(userId) ?? {}, mine);
        await this.#own.recount(thread, userId);
        thread.unwritten.delete(userId);
      }
      thread.recent.goOnFrom(counted?.seq ?? 0);
      thread.setCounted(counted);
      thread.loaded = true;
    } finally {
      thread.loading = undefined;
    }
    this.#forgetBeyond(thread);
  }

  #isFull(): boolean {
    return this.#memory.bytes > this.#maxBytes;
  }

  #forgetBeyond(newest: ThreadReceipts | undefined): void {
    if (!this.#isFull()) return;
    for (const [key, thread] of this.#threads) {
      if (thread === newest || this.#flushes.waits(thread) || thread.loading) continue;
      this.#threads.delete(key);
      thread.memory.releaseBytes();
      if (!this.#isFull()) return;
    }
  }
}

/** All of a direct thread, as far as it is known. */
function rangeOf({ known }: ThreadReceipts): Range {
  return { firstSeq: 1, last: known, hasLeft: false };
}
