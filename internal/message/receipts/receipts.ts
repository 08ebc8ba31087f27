import { overloaded } from "../../base/heddle-error.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import { type Positions, positionsOf } from "../cells/receipt-cell.ts";
import type { Range } from "../group/membership.ts";
import type { HeadReader } from "../log/head-finder.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import { MemoryUse } from "../memory-use.ts";
import type { Threads } from "../ports.ts";
import { type FlushPorts, ReceiptFlushes } from "./receipt-flushes.ts";
import { RowCopies } from "./row-copies.ts";
import { highest, ThreadReceipts, withheld } from "./thread-receipts.ts";

/** What positions of all threads may take, in bytes; beyond it clean ones are forgotten, the longest unused first. */
const MAX_BYTES = 128 << 20;

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

  constructor(ports: ReceiptPorts) {
    this.#ports = ports;
    this.#maxBytes = ports.maxBytes ?? MAX_BYTES;
    this.#copies = new RowCopies(ports.threads, ports.clock);
    this.#flushes = new ReceiptFlushes(ports, this.#copies);
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
    const thread = await this.#open(log);
    const { firstSeq, last } = await this.#range(log, thread, raised);
    const readSeq = Math.min(raised.readSeq, last.seq);
    const { userId, originSession } = raised;
    const mine = thread.positionOf(userId);
    // A newcomer has read up to where it joined: its row says so, and no cell need.
    const floor = log.isGroup ? firstSeq : 0;
    if (readSeq > Math.max(mine.readSeq, floor)) {
      const readOrdinal = await this.#ordinalAt(thread, readSeq, last);
      if (readSeq > mine.readSeq) {
        setRead(thread, userId, mine, readSeq, readOrdinal);
        this.#flushes.mark(thread, userId, { log, originSession, isRead: true });
      }
    } else if (raised.readSeq > 0) {
      // A client repeats what its thread row does not show: the row's copy was lost.
      this.#copyAgain(thread, userId, mine);
    }
    const delivered = log.membership.audience.isLarge ? 0 : Math.min(raised.deliveredSeq, last.seq);
    const deliveredSeq = Math.max(readSeq, delivered);
    if (deliveredSeq > Math.max(mine.deliveredSeq, floor)) {
      mine.deliveredSeq = deliveredSeq;
      this.#flushes.mark(thread, userId, { log, originSession, isRead: false });
    }
  }

  #copyAgain(thread: ThreadReceipts, userId: string, { readSeq, readOrdinal }: Positions): void {
    const { threadId, key } = thread;
    if (!this.#flushes.waits(thread)) {
      this.#copies.note({ ownerId: userId, threadId, readSeq, readOrdinal }, key);
    } else {
      thread.uncopied.add(userId);
      this.#flushes.mark(thread, userId);
    }
  }

  /** How far a position may go: in a group only as far as the user may see. */
  async #range(
    log: ThreadLog,
    thread: ThreadReceipts,
    { userId, deliveredSeq, readSeq }: RaisedReceipt,
  ): Promise<Range> {
    const { heads, reader } = this.#ports;
    const wanted = Math.max(deliveredSeq, readSeq);
    if (log.isGroup) return reader.reach(log, userId, wanted);
    if (wanted > thread.known.seq) {
      const head = await heads.read(log.key, log.threadId, log.cache.hint);
      if (head.seq > thread.known.seq) thread.known = head;
    }
    return { firstSeq: 1, last: thread.known, hasLeft: false };
  }

  /** A sender's own message moves its read position only if that stood right below it, or later. */
  ownMessage(log: ThreadLog, userId: string, seq: number, ordinal: number): void {
    const move = (thread: ThreadReceipts) => {
      if (seq > thread.known.seq) thread.known = { ...thread.known, seq, ordinal };
      const mine = thread.positionOf(userId);
      const joinedSeq = log.membership.view?.roster.members.get(userId)?.joinedSeq ?? 0;
      if (Math.max(mine.readSeq, joinedSeq) < seq - 1 || mine.readSeq >= seq) return;
      setRead(thread, userId, mine, seq, ordinal);
      mine.deliveredSeq = Math.max(mine.deliveredSeq, seq);
      this.#flushes.mark(thread, userId);
    };
    const thread = this.#threads.get(log.key);
    if (thread?.loaded) move(thread);
    // A position that could not be loaded is not moved: the client says it again when it reads.
    else this.#open(log).then(move, () => {});
  }

  /**
   * The positions of all members that are in the store, as far as the viewer may see: between two of whom one has blocked
   * the other nothing, and to one who has left nobody else's. What was delivered is withheld of those who hide from the
   * viewer, and in a large group of everybody. What is not yet written is not shown: a server that dies would take it
   * back.
   */
  async list(log: ThreadLog, viewerId: string, { last }: Range): Promise<ReadonlyMap<string, Positions>> {
    const stored = positionsOf(await this.#ports.store.receipts(log.threadId));
    // Where it cannot be read, it is taken for a block: a later list tells what this one did not.
    const isBlocked = await this.#ports.judging.isBlocked(log.membership).catch(() => true);
    const { isLarge } = log.membership.audience;
    const members = log.isGroup ? log.membership.view?.roster.members : undefined;
    // One who has left is told nobody's: as of its leaving nobody knows them, and later ones say who was there since.
    const seesOthers = !isBlocked && (!members || members.has(viewerId));
    const users = new Map<string, Positions>();
    for (const [userId, positions] of stored) {
      const isOther = userId !== viewerId;
      if (isOther && !(seesOthers && (members?.has(userId) ?? true))) continue;
      const withholds = isLarge || (isOther && (await this.#ports.hiding.read(log.membership, userId)));
      const shown = withholds ? withheld(positions) : positions;
      users.set(userId, log.isGroup ? atMost(shown, last) : shown);
    }
    return users;
  }

  /** Writes the user's positions, and what thread rows have not been told of them. Never rejects. */
  async flushUser(userId: string): Promise<void> {
    await this.#flushes.flushUser(userId);
    await this.#copies.flush(userId);
  }

  /** Writes everything. For shutting down. */
  async close(): Promise<void> {
    await this.#flushes.flushAll();
    await this.#copies.flushAll();
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
    } else if (2 * this.#memory.bytes > this.#maxBytes) {
      // While half the room is free nobody will be forgotten soon, and order may wait.
      this.#threads.delete(log.key);
      this.#threads.set(log.key, thread);
    }
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
      thread.memory.leave();
      if (!this.#isFull()) return;
    }
  }

  async #ordinalAt(thread: ThreadReceipts, seq: number, last: Range["last"]): Promise<number> {
    if (seq === last.seq) return last.ordinal;
    const cell = await this.#ports.store.cell(thread.threadId, seq);
    return Number(decodeCell(cell).ordinal);
  }
}

function setRead(
  thread: ThreadReceipts,
  userId: string,
  mine: Positions,
  readSeq: number,
  readOrdinal: number,
): void {
  mine.readSeq = readSeq;
  mine.readOrdinal = readOrdinal;
  thread.uncopied.add(userId);
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
