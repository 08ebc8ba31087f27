import type { Clock } from "../../base/clock.ts";
import { encodeHead } from "../../base/head.ts";
import { HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { STORE_DEADLINE_MS } from "../limits.ts";
import type { MessageStore } from "../ports.ts";
import { findHead } from "./head-finder.ts";
import type { Judging } from "./judging.ts";
import type { PendingRaise, ThreadLog } from "./thread-log.ts";

/** How long a raise may take, in ms. */
const RAISE_MS = 10_000;
/** Heads that one raise is tried at; others move it as often at most while one waits for its deadline. */
const MAX_TRIES = 16;

export interface RaisePorts {
  readonly store: MessageStore;
  readonly judging: Judging;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Entries in a row; 512 but in tests. */
  readonly bucketSize: number;
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
  async raiseAll(log: ThreadLog): Promise<void> {
    const waiting = log.raises.splice(0);
    const expiresAtMs = Math.max(...waiting.map((raise) => raise.expiresAtMs));
    let problem: HeddleError = storeUnavailable("message");
    for (let tries = 0; tries < MAX_TRIES && this.#ports.clock.monotonicMs() < expiresAtMs; tries++) {
      try {
        if (await this.#raise(log)) {
          await this.#look(log);
          for (const raise of waiting) raise.settle(undefined);
          return;
        }
      } catch (error) {
        problem = error instanceof HeddleError ? error : storeUnavailable("message", error);
      }
      // False or no answer is unknown: again, at a head read afresh.
      log.drop();
    }
    for (const raise of waiting) raise.settle(problem);
  }

  async #raise(log: ThreadLog): Promise<boolean> {
    const { store, bucketSize } = this.#ports;
    if (!log.found) log.load(await this.#inTime(findHead(store, log.threadId, log.hint, bucketSize)));
    const { head, bucket, stored } = log.found as NonNullable<ThreadLog["found"]>;
    const next = { ...head, epoch: head.epoch + 1 };
    const bytes = encodeHead(next);
    const row = { threadId: log.threadId, bucket };
    if (!(await this.#inTime(store.checkAndPut(row, stored, bytes, [])))) return false;
    log.raised(next, bytes);
    return true;
  }

  /** Brings a direct thread's view at hand up to date, for what is told without a look at the head. */
  async #look(log: ThreadLog): Promise<void> {
    if (log.isGroup || !log.found || log.participants.length === 0) return;
    log.view = undefined;
    log.blockedHint = undefined;
    // Without it the next append loads it.
    await this.#ports.judging.at(log, log.found.head).catch(() => {});
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(call, STORE_DEADLINE_MS, () => storeUnavailable("message"));
  }
}
