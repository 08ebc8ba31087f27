import type { Clock } from "../../base/clock.ts";
import type { Head } from "../../base/head.ts";
import { HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { TokenBucket } from "../../stream/token-bucket.ts";
import type { ThreadOwners } from "../thread-owners.ts";
import type { FoundHead, HeadReader } from "./head-finder.ts";
import type { PendingSend } from "./pending-sends.ts";
import type { ThreadLog } from "./thread-log.ts";

/**
 * Heads that are read for one sender's refusals: so many at once, and so many a second, by all servers together. Each has
 * an equal share: a read takes as many tokens of a server's bucket as there are servers.
 */
const READS_BURST = 100;
const READS_PER_SECOND = 20;
/** Senders whose budgets are remembered; beyond it the longest unused begin anew. */
const MAX_SENDERS = 10_000;

/** What a doubt comes to; a head is one that proves the head in use to be old. */
export type Answer = "doubted" | "stands" | FoundHead | HeddleError;

/**
 * Refusals that depend on the state of a thread. They stand only on a head whose read began after the send came: the
 * head in use may be old, and only the check-and-put of an append proves it. So the sender's sends are set aside while
 * the head is read, in a way that proves it where the store's servers may answer from the past (LogStore.proving); nobody else waits, what is remembered of the thread is kept unless that head proves it old, and the
 * read is paid for by the sender.
 */
export class Doubts {
  readonly #heads: HeadReader;
  readonly #clock: Clock;
  readonly #owners: ThreadOwners;
  /** The head that was read after the send came, or why it could not be read. */
  readonly #proofs = new WeakMap<PendingSend, FoundHead | HeddleError>();
  /** By sender, the longest unused first. */
  readonly #budgets = new Map<string, TokenBucket>();

  constructor(heads: HeadReader, clock: Clock, owners: ThreadOwners) {
    this.#heads = heads;
    this.#clock = clock;
    this.#owners = owners;
  }

  /** Whether a refusal of a send that was judged by `head` stands. */
  answer(send: PendingSend, head: Head): Answer {
    const proof = this.#proofs.get(send);
    if (!proof) return "doubted";
    if (proof instanceof HeddleError || isOlder(head, proof.head)) return proof;
    return "stands";
  }

  /**
   * Puts doubted sends back, before all others of their senders, and sets those senders' sends aside until the head has
   * been read; calls `done` then, once for each sender. Returns the sends whose senders have no budget left.
   */
  prove(log: ThreadLog, doubted: readonly PendingSend[], done: () => void): readonly PendingSend[] {
    if (doubted.length === 0) return doubted;
    const unpaid = new Set<PendingSend>();
    for (const [userId, sends] of Map.groupBy(doubted, (send) => send.userId)) {
      if (!this.#pays(userId)) {
        for (const send of sends) unpaid.add(send);
        continue;
      }
      log.pending.putBack(sends);
      void this.#prove(log, userId, done);
    }
    return [...unpaid];
  }

  async #prove(log: ThreadLog, userId: string, done: () => void): Promise<void> {
    const covered = log.pending.hold(userId);
    let proof: FoundHead | HeddleError;
    try {
      proof = await this.#heads.findHead(log.key, log.threadId, log.cache.hint);
    } catch (error) {
      proof = error instanceof HeddleError ? error : storeUnavailable("message", error);
    }
    for (const send of covered) this.#proofs.set(send, proof);
    log.pending.release(userId);
    done();
  }

  #pays(userId: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const budget = this.#budgets.get(userId) ?? new TokenBucket(READS_BURST, READS_PER_SECOND, nowMs);
    this.#budgets.delete(userId);
    this.#budgets.set(userId, budget);
    for (const oldest of this.#budgets.keys()) {
      if (this.#budgets.size <= MAX_SENDERS) break;
      this.#budgets.delete(oldest);
    }
    return budget.takeTokens(Math.min(this.#owners.count, READS_BURST), nowMs);
  }
}

/** Each of a head's numbers only grows. */
function isOlder(a: Head, b: Head): boolean {
  return a.seq < b.seq || a.membersSeq < b.membersSeq || a.epoch < b.epoch;
}
