import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { inbox, type Topic } from "../../base/publication.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { eventFrame } from "../../wire/event-frames.ts";
import type { LogStore } from "../cells/log-store.ts";
import { receiptCells } from "../cells/receipt-cell.ts";
import type { Judging } from "../group/judging.ts";
import type { Hiding } from "../hiding.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import type { Channel } from "../ports.ts";
import { positionOf, type ThreadReceipts, type Untold, withheld } from "./thread-receipts.ts";

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
  readonly judging: Judging;
}

/**
 * What is raised reaches the store, and then those who are to hear of it: a thread that was marked is written at most
 * once a second, and again until it is.
 */
export class ReceiptFlushes {
  readonly #ports: FlushPorts;
  readonly #dirty = new Set<ThreadReceipts>();
  readonly #flushes = new Set<Promise<void>>();
  readonly #deadlines: Deadlines;
  #sweeping = false;

  constructor(ports: FlushPorts) {
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.clock);
  }

  /** Whether something of the thread waits to be written. */
  waits(thread: ThreadReceipts): boolean {
    return this.#dirty.has(thread);
  }

  /** Writes everything that waits, and resolves when that is done, or has failed. */
  async flushAll(): Promise<void> {
    for (const thread of this.#dirty) this.#flush(thread);
    await Promise.all(this.#flushes);
  }

  /** Marks a thread to be flushed; with `news` of a user's positions, of which the others are to hear. */
  mark(thread: ThreadReceipts, userId: string | undefined, news?: Untold): void {
    if (userId !== undefined && news) {
      thread.unwritten.add(userId);
      thread.tell(userId, news);
    }
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
        if (thread.flushedAtMs <= before) this.#flush(thread);
      }
      if (this.#dirty.size > 0) this.#sweepSoon();
    });
  }

  #flush(thread: ThreadReceipts): void {
    const users = [...thread.unwritten];
    const untold = new Map(thread.untold);
    thread.unwritten.clear();
    thread.untold.clear();
    this.#dirty.delete(thread);
    thread.flushedAtMs = this.#ports.clock.monotonicMs();
    const late = () => storeUnavailable("message");
    const flushing = this.#deadlines.bound(this.#write(thread, users, untold), FLUSH_DEADLINE_MS, late);
    const done = flushing
      .catch(() => {
        // The store or the channel is away: the same again in a second. Nothing was promised as written.
        for (const userId of users) thread.unwritten.add(userId);
        for (const [userId, news] of untold) thread.tell(userId, news);
        this.#dirty.add(thread);
        this.#sweepSoon();
      })
      .finally(() => this.#flushes.delete(done));
    this.#flushes.add(done);
  }

  /** Writes the positions of `users`, then tells the others of those that are untold. */
  async #write(
    thread: ThreadReceipts,
    users: readonly string[],
    untold: ReadonlyMap<string, Untold>,
  ): Promise<void> {
    const cells = users.flatMap((userId) => receiptCells(userId, positionOf(thread, userId)));
    await this.#ports.store.putReceipts(thread.threadId, cells);
    for (const [userId, news] of untold) await this.#publish(thread, userId, news);
  }

  async #publish(thread: ThreadReceipts, userId: string, { originSession, isRead }: Untold): Promise<void> {
    const isHidden = await this.#ports.hiding.read(thread.log.membership, userId);
    if (isHidden && !isRead) return; // That there is something to tell would say that the user is there.
    const positions = positionOf(thread, userId);
    const { deliveredSeq, readSeq, readOrdinal } = isHidden ? withheld(positions) : positions;
    const value = {
      threadId: thread.threadId,
      userId,
      deliveredSeq: BigInt(deliveredSeq),
      readSeq: BigInt(readSeq),
      readOrdinal: BigInt(readOrdinal),
    };
    const { log } = thread;
    const { membersSeq } = log.membership.audience;
    await this.#ports.channel.publish({
      kind: "receipt",
      topics: await this.#topics(log, userId),
      ...(log.isGroup && { group: { membersSeq } }),
      frame: eventFrame({ case: "receipt", value }),
      thread: thread.key,
      seq: 0,
      ordinal: 0,
      userId,
      originSession,
    });
  }

  /** Who hears of a user's positions; where nobody else may, the user's other devices still do. */
  async #topics(log: ThreadLog, userId: string): Promise<readonly Topic[]> {
    const { audience, view } = log.membership;
    const alone = log.isGroup
      ? audience.isLarge || !view?.roster.members.has(userId)
      : await this.#ports.judging.isBlocked(log.membership);
    return alone ? [inbox(userId)] : log.membership.audience.topics;
  }
}
