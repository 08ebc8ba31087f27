import type { Clock } from "../base/clock.ts";
import { Code, ErrorReason, HeddleError, storeUnavailable } from "../base/heddle-error.ts";
import { type HandOff, inbox, type Topic } from "../base/publication.ts";
import type { Deadlines } from "../stream/deadlines.ts";
import { entryFrame } from "./entry-cell.ts";
import type { Channel, Threads } from "./ports.ts";
import type { ThreadLog } from "./thread-log.ts";
import { TOUCH_COUNTS_MS, TOUCH_RENEWS_MS, type TouchLedger } from "./touch-ledger.ts";

/** Deadline of a touch, in ms: `lock_timeout` of the thread store is 5 s, and an append has 10 s in all. */
const TOUCH_DEADLINE_MS = 4_000;
/** No channel instance took the event within this: UNAVAILABLE (docs/design.md, section 7, Publish). */
const PUBLISH_DEADLINE_MS = 2_000;

/** An entry that is in the store and is to be told of. */
export interface StoredEntry {
  readonly seq: number;
  readonly ordinal: number;
  readonly sender: string;
  readonly cell: Uint8Array;
  /** The session whose send is answered, which gets no `entry`; "" for none. */
  readonly originSession: string;
}

export interface GatePorts {
  readonly threads: Threads;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly ledger: TouchLedger;
  readonly deadlines: Deadlines;
}

/**
 * What every answer that names a seq passes: a touch is in force for every member, the event is handed over, and only
 * then the answer (docs/design.md, section 5, The gate).
 */
export class Gate {
  readonly #ports: GatePorts;
  readonly #inboxes = new WeakMap<readonly string[], readonly Topic[]>();

  constructor(ports: GatePorts) {
    this.#ports = ports;
  }

  /** Before an append: touches the members whom no touch covers, and waits for it. */
  async cover(log: ThreadLog): Promise<void> {
    const members = log.view?.members ?? [];
    const missing = this.#ports.ledger.uncovered(log.touches, members, TOUCH_COUNTS_MS);
    if (missing.length > 0) await this.#touch(log, missing);
  }

  /**
   * After the store has confirmed that the entries are there: judges the touches now, publishes in order, and resolves
   * with the channel's words. Rejects if either cannot be done: then nothing may be answered.
   */
  async pass(log: ThreadLog, entries: readonly StoredEntry[]): Promise<readonly HandOff[]> {
    const members = log.view?.members ?? [];
    if (this.#ports.ledger.uncovered(log.touches, members, TOUCH_COUNTS_MS).length > 0) await this.cover(log);
    const words = entries.map((entry) => this.#publish(log, members, entry));
    const said = areSaid(words) ? words : await this.#inTime(Promise.all(words));
    this.#renew(log);
    return said;
  }

  async #touch(log: ThreadLog, owners: readonly string[]): Promise<void> {
    const { ledger, threads, deadlines } = this.#ports;
    const sentAtMs = ledger.beforeSending();
    const touching = threads.touch(log.threadId, owners, log.found?.bucket ?? 0);
    await deadlines.bound(touching, TOUCH_DEADLINE_MS, () => storeUnavailable("thread"));
    ledger.confirmed(log.touches, owners, sentAtMs);
  }

  /** Renews touches in the background before they cease to count. If that fails, the next append waits for one. */
  #renew(log: ThreadLog): void {
    const members = log.view?.members ?? [];
    if (log.renewing) return;
    const ageing = this.#ports.ledger.uncovered(log.touches, members, TOUCH_RENEWS_MS);
    if (ageing.length === 0) return;
    log.renewing = true;
    const done = () => {
      log.renewing = false;
    };
    this.#touch(log, ageing).then(done, done);
  }

  #publish(log: ThreadLog, members: readonly string[], entry: StoredEntry): HandOff | Promise<HandOff> {
    return this.#ports.channel.publish({
      kind: "entry",
      topics: this.#inboxesOf(members),
      frame: entryFrame(log.threadId, entry.seq, entry.cell),
      thread: log.key,
      seq: entry.seq,
      ordinal: entry.ordinal,
      userId: entry.sender,
      originSession: entry.originSession,
    });
  }

  #inTime<T>(handingOver: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(handingOver, PUBLISH_DEADLINE_MS, handOffFailed);
  }

  /** Made once per list of members: as map keys, strings that were used before are cheap. */
  #inboxesOf(members: readonly string[]): readonly Topic[] {
    let topics = this.#inboxes.get(members);
    if (!topics) {
      topics = members.map(inbox);
      this.#inboxes.set(members, topics);
    }
    return topics;
  }
}

/** A channel service in this process answers at once. */
function areSaid(words: readonly (HandOff | Promise<HandOff>)[]): words is readonly HandOff[] {
  return !words.some((word) => word instanceof Promise);
}

function handOffFailed(): HeddleError {
  return new HeddleError(
    Code.UNAVAILABLE,
    ErrorReason.HAND_OFF_FAILED,
    "no channel instance took the event in time; the entry may be stored: retry",
    { retryAfterMs: 1000 },
  );
}
