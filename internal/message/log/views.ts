import type { Clock } from "../../base/clock.ts";
import type { Head } from "../../base/head.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import type { Judging } from "../group/judging.ts";
import type { View } from "../group/membership.ts";
import { MAX_HEAD_READS } from "../limits.ts";
import type { HeadReader } from "./head-finder.ts";
import type { ThreadLog } from "./thread-log.ts";

/** How old a view may be by which something is judged that no check-and-put proves, in ms (docs/design.md, section 2). */
export const VIEW_MAX_AGE_MS = 1_000;

/** Reads for one judgement: a view that took longer than its age to read is old when it comes. */
const MAX_READS = 3;

export interface ViewPorts {
  readonly heads: HeadReader;
  readonly judging: Judging;
  readonly clock: Clock;
  /** Whether no other server changes threads: then a view at hand is as new as any. */
  readonly isAlone: boolean;
}

/**
 * The views by which typing, receipts, lists and `recipient_offline` are judged: another server may have taken a block or
 * a removal, and no check-and-put says so. A view is as old as the read, or the append, that proved it, counted from
 * before it was sent.
 */
export class Views {
  readonly #ports: ViewPorts;
  /** By log, the read that is under way. */
  readonly #reading = new WeakMap<ThreadLog, Promise<unknown>>();

  constructor(ports: ViewPorts) {
    this.#ports = ports;
  }

  /** The view at hand, if it may be judged by. */
  known({ membership: { view, provenAtMs } }: ThreadLog): View | undefined {
    const { isAlone, clock } = this.#ports;
    return isAlone || clock.monotonicMs() - provenAtMs <= VIEW_MAX_AGE_MS ? view : undefined;
  }

  /**
   * A view that is not too old at the moment this resolves: judge by it before anything else is waited for. Reads of one
   * thread are shared. Rejects with STORE_UNAVAILABLE, also where every read takes longer than a view may be old.
   */
  async fresh(log: ThreadLog): Promise<View> {
    for (let read = 0; read < MAX_READS; read++) {
      const view = this.known(log);
      if (view) return view;
      await this.#readShared(log);
    }
    const view = this.known(log);
    if (!view) throw storeUnavailable("message");
    return view;
  }

  /** Whether one of a direct thread's users has blocked the other, by a fresh view; true where that cannot be known. */
  async isBlocked(log: ThreadLog): Promise<boolean> {
    if (log.isGroup) return false;
    try {
      return (await this.fresh(log)).blockedBy.length > 0;
    } catch {
      return true;
    }
  }

  /** A head read from the store now. */
  async readHead(log: ThreadLog): Promise<Head> {
    const { heads, clock } = this.#ports;
    const askedAtMs = clock.monotonicMs();
    const head = await heads.readHead(log.key, log.threadId, log.cache.hint);
    log.membership.proved(head, askedAtMs);
    return head;
  }

  /** A head read from the store now, and the view as of it. */
  async read(log: ThreadLog): Promise<{ readonly head: Head; readonly view: View }> {
    const { judging, clock } = this.#ports;
    const { membership } = log;
    for (let read = 0; read < MAX_HEAD_READS; read++) {
      const askedAtMs = clock.monotonicMs();
      const head = await this.readHead(log);
      const view = judging.known(membership, head) ?? (await judging.at(membership, head));
      if (!view) continue;
      membership.proved(head, askedAtMs);
      return { head, view };
    }
    throw storeUnavailable("thread");
  }

  #readShared(log: ThreadLog): Promise<unknown> {
    const running = this.#reading.get(log);
    if (running) return running;
    const reading = this.read(log).finally(() => this.#reading.delete(log));
    this.#reading.set(log, reading);
    return reading;
  }
}
