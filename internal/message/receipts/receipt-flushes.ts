import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { inbox, type Topic } from "../../base/publication.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { eventFrame } from "../../wire/event-frames.ts";
import type { LogStore } from "../cells/log-store.ts";
import {
  type Counted,
  countedCell,
  type Own,
  ownCell,
  type Positions,
  positionsOf,
  receiptCells,
} from "../cells/receipt-cell.ts";
import type { View } from "../group/membership.ts";
import type { Hiding } from "../hiding.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import type { Views } from "../log/views.ts";
import type { Channel } from "../ports.ts";
import type { OwnMessages } from "./own-messages.ts";
import type { RowCopies } from "./row-copies.ts";
import { highest, type ThreadReceipts, type Untold, withheld } from "./thread-receipts.ts";

/** A (thread, user) is flushed at most once in this time (docs/design.md, section 5, family `r`), in ms. */
const FLUSH_EVERY_MS = 1_000;
/** How often it is looked what is due, in ms: how late a tick may show at the least. */
const SWEEP_MS = 50;
/** Flushes under way at a time. */
const MAX_FLUSHES = 256;
/** Deadline of one flush, in ms: 4 s for the store and a little for the channel. After it comes the next try. */
const FLUSH_DEADLINE_MS = 5_000;

export interface FlushPorts {
  readonly store: LogStore;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly hiding: Hiding;
  readonly views: Views;
  /** Whether no other server raises positions. */
  readonly isAlone: boolean;
}

/**
 * What is raised reaches the store, and then those who are to hear of it, and the copies in thread rows: what is told
 * is durable. A thread that was marked is written at most once a second, and again until it is.
 */
export class ReceiptFlushes {
  readonly #ports: FlushPorts;
  readonly #copies: Pick<RowCopies, "notePosition">;
  readonly #own: OwnMessages;
  readonly #dirty = new Set<ThreadReceipts>();
  /** The threads with positions of a user that are not written, or are being written. */
  readonly #byUser = new Map<string, Set<ThreadReceipts>>();
  readonly #flushes = new Set<Promise<void>>();
  readonly #deadlines: Deadlines;
  #sweeping = false;

  constructor(ports: FlushPorts, copies: Pick<RowCopies, "notePosition">, own: OwnMessages) {
    this.#ports = ports;
    this.#copies = copies;
    this.#own = own;
    this.#deadlines = new Deadlines(ports.clock);
  }

  /** Whether something of the thread waits to be written. */
  waits(thread: ThreadReceipts): boolean {
    return this.#dirty.has(thread) || thread.flushing !== undefined;
  }

  /** Writes everything that waits, and resolves when that is done, or has failed. */
  async flushAll(): Promise<void> {
    await this.flushThreads([...this.#dirty]);
    await Promise.all(this.#flushes);
  }

  /** The same for one user's positions. */
  async flushUser(userId: string): Promise<void> {
    await this.flushThreads([...(this.#byUser.get(userId) ?? [])]);
  }

  /** The same for what waits of some threads. */
  async flushThreads(threads: readonly ThreadReceipts[]): Promise<void> {
    await Promise.all(threads.map((thread) => this.#flushWhole(thread)));
  }

  /** Writes what waits of a thread now, after what is being written. */
  async #flushWhole(thread: ThreadReceipts): Promise<void> {
    await thread.flushing;
    if (this.#dirty.has(thread)) this.#flush(thread);
    await thread.flushing;
  }

  /** Marks a user's positions to be written; with `news` for the others to hear of, too. */
  markUser(thread: ThreadReceipts, userId: string, news?: Untold): void {
    thread.unwritten.add(userId);
    if (news) thread.tellPositions(userId, news);
    const threads = this.#byUser.get(userId);
    if (threads) threads.add(thread);
    else this.#byUser.set(userId, new Set([thread]));
    this.#dirty.add(thread);
    this.#sweepSoon();
  }

  #sweepSoon(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#ports.clock.after(SWEEP_MS, () => {
      this.#sweeping = false;
      const before = this.#ports.clock.monotonicMs() - FLUSH_EVERY_MS;
      for (const thread of this.#dirty) {
        if (this.#flushes.size >= MAX_FLUSHES) break;
        if (thread.flushedAtMs <= before && !thread.flushing) this.#flush(thread);
      }
      if (this.#dirty.size > 0) this.#sweepSoon();
    });
  }

  /**
   * One at a time for a thread: up to where its messages are counted is written with the counts of those who have
   * changed since the last one, and would else get into the store before theirs.
   */
  #flush(thread: ThreadReceipts): void {
    const flush = takeFlush(thread);
    this.#dirty.delete(thread);
    thread.flushedAtMs = this.#ports.clock.monotonicMs();
    const late = () => storeUnavailable("message");
    const flushing = this.#deadlines.bound(this.#write(thread, flush), FLUSH_DEADLINE_MS, late);
    const done = flushing
      .then(() => this.#forget(thread, flush))
      .catch(() => {
        // The store or the channel is away: the same again in a second. Nothing was told before it was written.
        for (const userId of flush.positions.keys()) thread.unwritten.add(userId);
        for (const userId of flush.uncopied) thread.uncopied.add(userId);
        for (const [userId, news] of flush.untold) thread.tellPositions(userId, news);
        this.#dirty.add(thread);
        this.#sweepSoon();
      })
      .finally(() => {
        this.#flushes.delete(done);
        if (thread.flushing === done) thread.flushing = undefined;
      });
    this.#flushes.add(done);
    thread.flushing = done;
  }

  #forget(thread: ThreadReceipts, { positions }: Flush): void {
    for (const userId of positions.keys()) {
      if (thread.unwritten.has(userId)) continue;
      const threads = this.#byUser.get(userId);
      threads?.delete(thread);
      if (threads?.size === 0) this.#byUser.delete(userId);
    }
  }

  /** Writes positions, and once they are durable has them copied, and tells the others. */
  async #write(thread: ThreadReceipts, { positions, own, counted, uncopied, untold }: Flush): Promise<void> {
    const { key, threadId } = thread;
    const cells = [...positions].flatMap(([userId, mine]) => receiptCells(userId, mine));
    cells.push(...[...own].map(([userId, mine]) => ownCell(userId, mine)));
    if (counted) cells.push(countedCell(counted));
    await this.#ports.store.putReceipts(threadId, cells);
    const stored = this.#ports.isAlone ? positions : await this.#merge(thread, positions);
    for (const ownerId of uncopied) {
      const { readSeq = 0, readOrdinal = 0 } = stored.get(ownerId) ?? {};
      this.#copies.notePosition({ ownerId, threadId, readSeq, readOrdinal }, key);
    }
    for (const [userId, news] of untold) {
      const mine = stored.get(userId);
      if (mine) await this.#publish(userId, mine, news);
    }
  }

  /** The positions of which some were written just now, with what another server may have written of them. */
  async #merge(
    thread: ThreadReceipts,
    written: ReadonlyMap<string, Positions>,
  ): Promise<ReadonlyMap<string, Positions>> {
    const { store } = this.#ports;
    const [only = "", ...others] = written.keys();
    const isOne = others.length === 0;
    const cells = isOne
      ? await store.receiptsOf(thread.threadId, only)
      : await store.receipts(thread.threadId);
    const stored = positionsOf(cells);
    const merged = new Map<string, Positions>();
    for (const [userId, mine] of written) {
      const both = highest(stored.get(userId) ?? mine, mine);
      merged.set(userId, both);
      const known = thread.positionOf(userId);
      Object.assign(known, highest(both, known));
      if (await this.#own.recount(thread, userId)) this.markUser(thread, userId);
    }
    return merged;
  }

  async #publish(
    userId: string,
    positions: Positions,
    { log, originSession, isRead }: Untold,
  ): Promise<void> {
    const { hiding, views } = this.#ports;
    if (log.isGroup) await views.fresh(log); // Whether the user has written there goes by its membership.
    const isHidden = await hiding.isHidden(log.membership, userId);
    if (isHidden && !isRead) return; // That there is something to tell would say that the user is there.
    const { deliveredSeq, readSeq, readOrdinal } = isHidden ? withheld(positions) : positions;
    const value = {
      threadId: log.threadId,
      userId,
      deliveredSeq: BigInt(deliveredSeq),
      readSeq: BigInt(readSeq),
      readOrdinal: BigInt(readOrdinal),
    };
    const view = await views.fresh(log); // Where there is none, all of it is tried again.
    const { membersSeq } = log.membership.audience;
    await this.#ports.channel.publish({
      kind: "receipt",
      topics: topicsBy(view, log, userId),
      ...(log.isGroup && { group: { membersSeq } }),
      frame: eventFrame({ case: "receipt", value }),
      thread: log.key,
      seq: 0,
      ordinal: 0,
      userId,
      originSession,
    });
  }
}

/** Who hears of a user's positions; where nobody else may, the user's other devices still do. */
function topicsBy({ roster, blockedBy }: View, log: ThreadLog, userId: string): readonly Topic[] {
  const { audience } = log.membership;
  const isAlone = log.isGroup ? audience.isLarge || !roster.members.has(userId) : blockedBy.length > 0;
  return isAlone ? [inbox(userId)] : audience.topics;
}

/** What one flush writes, as it is when it begins: what is raised meanwhile waits for the next. */
interface Flush {
  readonly positions: ReadonlyMap<string, Positions>;
  /** Of the same users, and up to where they are complete. */
  readonly own: ReadonlyMap<string, Own>;
  readonly counted: Counted | undefined;
  readonly uncopied: readonly string[];
  readonly untold: ReadonlyMap<string, Untold>;
}

function takeFlush(thread: ThreadReceipts): Flush {
  const users = [...thread.unwritten];
  const flush = {
    positions: new Map(users.map((userId) => [userId, { ...thread.positionOf(userId) }])),
    own: new Map(users.flatMap((userId) => ownOf(thread, userId))),
    counted: thread.counted,
    uncopied: [...thread.uncopied],
    untold: new Map(thread.untold),
  };
  thread.unwritten.clear();
  thread.uncopied.clear();
  thread.untold.clear();
  return flush;
}

function ownOf(thread: ThreadReceipts, userId: string): [string, Own][] {
  const own = thread.own.get(userId);
  return own ? [[userId, { ...own }]] : [];
}
