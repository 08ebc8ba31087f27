import type { Clock } from "../../base/clock.ts";
import { encodeHead } from "../../base/head.ts";
import { HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import type { LogStore } from "../cells/log-store.ts";
import type { Judging } from "../group/judging.ts";
import { findHead } from "./head-finder.ts";
import type { PendingRaise, ThreadLog } from "./thread-log.ts";

/** How long a raise may take, in ms. */
const RAISE_MS = 10_000;
/** Heads that one raise is tried at; others move it as often at most while one waits for its deadline. */
const MAX_TRIES = 16;

export interface RaisePorts {
  readonly store: LogStore;
  readonly judging: Judging;
  readonly clock: Clock;
}

/**
 * Raises the epoch of a thread's head (docs/design.md, section 5): a check-and-put without entries, on the row that holds
 * the next seq. So every append that was judged before it fails, and what comes after it is judged anew.
 */
export class EpochRaiser {
  readonly #ports: RaisePorts;

  constructor(ports: RaisePorts) {
    this.#ports = ports;
  }

  /** A raise that waits, and its outcome. */
  pending(): { readonly raise: PendingRaise; readonly outcome: Promise<void> } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const expiresAtMs = this.#ports.clock.monotonicMs() + RAISE_MS;
    const settle = (error: HeddleError | undefined) => (error ? reject(error) : resolve());
    return { raise: { expiresAtMs, settle }, outcome: promise };
  }

  /** One raise for all who wait, in a round of the thread. Never rejects. */
  async raiseAll(log: ThreadLog, waiting: readonly PendingRaise[]): Promise<void> {
    const expiresAtMs = Math.max(...waiting.map((raise) => raise.expiresAtMs));
    let problem: HeddleError = storeUnavailable("message");
    for (let tries = 0; tries < MAX_TRIES && this.#ports.clock.monotonicMs() < expiresAtMs; tries++) {
      try {
        const sentAtMs = this.#ports.clock.monotonicMs();
        if (await this.#raise(log)) {
          await this.#look(log, sentAtMs);
          for (const raise of waiting) raise.settle(undefined);
          return;
        }
      } catch (error) {
        problem = error instanceof HeddleError ? error : storeUnavailable("message", error);
      }
      // False or no answer is unknown: again, at a head read afresh.
      log.cache.drop();
    }
    for (const raise of waiting) raise.settle(problem);
  }

  async #raise(log: ThreadLog): Promise<boolean> {
    const { store } = this.#ports;
    const { cache, threadId } = log;
    const found = cache.found ?? (await store.within(findHead(store, threadId, cache.hint)));
    if (found !== cache.found) cache.loadHead(found);
    const { head, bucket, stored } = found;
    const next = { ...head, epoch: head.epoch + 1 };
    const bytes = encodeHead(next);
    if (!(await store.append(threadId, bucket, stored, bytes, []))) return false;
    cache.raised(next, bytes);
    return true;
  }

  /** Brings a direct thread's view at hand up to date, for what is told without a look at the head. */
  async #look(log: ThreadLog, sentAtMs: number): Promise<void> {
    const { membership, cache } = log;
    if (log.isGroup || !cache.found) return;
    const { head } = cache.found;
    membership.forgetBlocks(head.epoch);
    if (membership.participants.length === 0) return;
    // Without it the next look loads it.
    await this.#ports.judging.at(membership, head).catch(() => {});
    membership.proved(head, sentAtMs);
  }
}
