import { decodeCell } from "../cells/entry-cell.ts";
import { type Positions, positionsOf } from "../cells/receipt-cell.ts";
import type { Range } from "../group/membership.ts";
import type { HeadReader } from "../log/head-finder.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import type { Threads } from "../ports.ts";
import { type FlushPorts, ReceiptFlushes } from "./receipt-flushes.ts";
import { RowCopies } from "./row-copies.ts";
import { highest, positionOf, ThreadReceipts, withheld } from "./thread-receipts.ts";

/** Threads whose positions are remembered; clean ones beyond it are forgotten, the longest unused first. */
const MAX_THREADS = 50_000;
/** Positions of all of them as they were loaded, at about 150 bytes each; beyond it the same. */
const MAX_POSITIONS = 1_000_000;

export interface RaisedReceipt {
  readonly userId: string;
  readonly deliveredSeq: number;
  readonly readSeq: number;
  readonly originSession: string;
}

/** Where a user may come in a group. */
export interface Reach {
  /** What the user may see, where `seq` is within it for certain: by what is known if that is enough, else read now. */
  reach(log: ThreadLog, userId: string, seq: number): Range | Promise<Range>;
}

export interface ReceiptPorts extends FlushPorts {
  readonly heads: HeadReader;
  readonly reader: Reach;
  readonly threads: Threads;
  /** Positions that are remembered: 1,000,000 but in tests. */
  readonly maxPositions?: number;
}

/**
 * How far users have got in threads. Positions only grow, are clamped to a head read from the store, and are written
 * to family `r`, whose highest timestamp stays; thread rows get a copy once a minute and when a session ends.
 */
export class Receipts {
  readonly #ports: ReceiptPorts;
  readonly #threads = new Map<string, ThreadReceipts>();
  /** Positions that loads have brought to them. */
  #positions = 0;
  readonly #flushes: ReceiptFlushes;
  readonly #copies: RowCopies;

  constructor(ports: ReceiptPorts) {
    this.#ports = ports;
    this.#flushes = new ReceiptFlushes(ports);
    this.#copies = new RowCopies(ports.threads, ports.clock);
  }

  /** Raises a member's own positions. Resolves when they are taken: written within about a second. */
  async raise(log: ThreadLog, raised: RaisedReceipt): Promise<void> {
    if (log.membership.audience.isLarge && raised.readSeq === 0) return; // What was delivered counts for nothing there.
    const thread = await this.#open(log);
    const { firstSeq, last } = await this.#range(thread, raised);
    const readSeq = Math.min(raised.readSeq, last.seq);
    const mine = positionOf(thread, raised.userId);
    // A newcomer has read up to where it joined: its row says so, and no cell need.
    const floor = log.isGroup ? firstSeq : 0;
    if (readSeq > Math.max(mine.readSeq, floor)) {
      const readOrdinal = await this.#ordinalAt(thread, readSeq, last);
      if (readSeq > mine.readSeq) {
        this.#setRead(thread, raised.userId, mine, readSeq, readOrdinal);
        this.#flushes.mark(thread, raised.userId, { originSession: raised.originSession, isRead: true });
      }
    } else if (raised.readSeq > 0) {
      // A client repeats what its thread row does not show: the row's copy was lost.
      this.#copy(thread, raised.userId, mine);
    }
    const delivered = log.membership.audience.isLarge ? 0 : Math.min(raised.deliveredSeq, last.seq);
    const deliveredSeq = Math.max(readSeq, delivered);
    if (deliveredSeq > Math.max(mine.deliveredSeq, floor)) {
      mine.deliveredSeq = deliveredSeq;
      this.#flushes.mark(thread, raised.userId, { originSession: raised.originSession, isRead: false });
    }
  }

  /** How far a position may go: in a group only as far as the user may see. */
  async #range(thread: ThreadReceipts, { userId, deliveredSeq, readSeq }: RaisedReceipt): Promise<Range> {
    const { log, known } = thread;
    const { heads, reader } = this.#ports;
    const wanted = Math.max(deliveredSeq, readSeq);
    if (log.isGroup) return reader.reach(log, userId, wanted);
    if (wanted > known.seq) {
      const head = await heads.read(log.key, log.threadId, log.cache.hint);
      if (head.seq > thread.known.seq) thread.known = head;
    }
    return { firstSeq: 1, last: thread.known };
  }

  /** A sender's own message moves its read position only if that stood right below it, or later. */
  ownMessage(log: ThreadLog, userId: string, seq: number, ordinal: number): void {
    const move = (thread: ThreadReceipts) => {
      if (seq > thread.known.seq) thread.known = { ...thread.known, seq, ordinal };
      const mine = positionOf(thread, userId);
      const joinedSeq = log.membership.view?.roster.members.get(userId)?.joinedSeq ?? 0;
      if (Math.max(mine.readSeq, joinedSeq) < seq - 1 || mine.readSeq >= seq) return;
      this.#setRead(thread, userId, mine, seq, ordinal);
      mine.deliveredSeq = Math.max(mine.deliveredSeq, seq);
      this.#flushes.mark(thread, undefined);
    };
    const thread = this.#threads.get(log.key);
    if (thread?.loaded) move(thread);
    // A position that could not be loaded is not moved: the client says it again when it reads.
    else this.#open(log).then(move, () => {});
  }

  /**
   * The positions of all members, from the store and from what is not yet written, as far as the viewer may see: between
   * two of whom one has blocked the other nothing. What was delivered is withheld of those who hide from the viewer, and
   * in a large group of everybody.
   */
  async list(log: ThreadLog, viewerId: string, { last }: Range): Promise<ReadonlyMap<string, Positions>> {
    const stored = positionsOf(await this.#ports.store.receipts(log.threadId));
    for (const [userId, mine] of this.#threads.get(log.key)?.users ?? []) {
      if (mine.deliveredSeq === 0) continue; // Nothing is known: what was read was delivered.
      const known = stored.get(userId);
      stored.set(userId, known ? highest(known, mine) : { ...mine });
    }
    // Where it cannot be read, it is taken for a block: a later list tells what this one did not.
    const isBlocked = await this.#ports.judging.isBlocked(log.membership).catch(() => true);
    const { isLarge } = log.membership.audience;
    const members = log.isGroup ? log.membership.view?.roster.members : undefined;
    const users = new Map<string, Positions>();
    for (const [userId, positions] of stored) {
      const isOther = userId !== viewerId;
      if (isOther && isBlocked) continue;
      if (members && isOther) {
        const member = members.get(userId);
        if (!member || member.joinedSeq > last.seq) continue; // Who came later is not for one who left to know.
      }
      const withholds = isLarge || (isOther && (await this.#ports.hiding.read(log.membership, userId)));
      const shown = withholds ? withheld(positions) : positions;
      users.set(userId, log.isGroup ? atMost(shown, last) : shown);
    }
    return users;
  }

  /** Writes what thread rows have not been told of the user's positions. Never rejects: the cells are the truth. */
  flushUser(userId: string): Promise<void> {
    return this.#copies.flush(userId);
  }

  /** Writes everything. For shutting down. */
  async close(): Promise<void> {
    await this.#flushes.flushAll();
    await this.#copies.flushAll();
  }

  async #open(log: ThreadLog): Promise<ThreadReceipts> {
    let thread = this.#threads.get(log.key);
    if (!thread) {
      thread = new ThreadReceipts(log);
      this.#threads.set(log.key, thread);
      this.#forgetBeyond(thread);
    }
    thread.log = log;
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
        thread.users.set(userId, highest(stored, positionOf(thread, userId)));
      }
      thread.loaded = true;
      if (this.#threads.get(thread.key) !== thread) return;
      thread.positions = thread.users.size;
      this.#positions += thread.positions;
    } finally {
      thread.loading = undefined;
    }
    this.#forgetBeyond(thread);
  }

  #forgetBeyond(newest: ThreadReceipts): void {
    const max = this.#ports.maxPositions ?? MAX_POSITIONS;
    for (const [key, thread] of this.#threads) {
      if (this.#threads.size <= MAX_THREADS && this.#positions <= max) return;
      if (thread === newest || this.#flushes.waits(thread) || thread.loading) continue;
      this.#threads.delete(key);
      this.#positions -= thread.positions;
    }
  }

  async #ordinalAt(thread: ThreadReceipts, seq: number, last: Range["last"]): Promise<number> {
    if (seq === last.seq) return last.ordinal;
    const cell = await this.#ports.store.cell(thread.threadId, seq);
    return Number(decodeCell(cell).ordinal);
  }

  #setRead(
    thread: ThreadReceipts,
    userId: string,
    mine: Positions,
    readSeq: number,
    readOrdinal: number,
  ): void {
    mine.readSeq = readSeq;
    mine.readOrdinal = readOrdinal;
    thread.unwritten.add(userId);
    this.#copy(thread, userId, mine);
  }

  #copy(thread: ThreadReceipts, ownerId: string, { readSeq, readOrdinal }: Positions): void {
    this.#copies.note({ ownerId, threadId: thread.threadId, readSeq, readOrdinal }, thread.key);
  }
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
