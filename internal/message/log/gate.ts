import type { Clock } from "../../base/clock.ts";
import type { RosterEntry } from "../../base/group.ts";
import { handOffFailed, storeUnavailable } from "../../base/heddle-error.ts";
import { type GroupMark, type HandOff, inbox, type Publication } from "../../base/publication.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { entryFrame } from "../../wire/event-frames.ts";
import { applyEntry } from "../group/roster.ts";
import { THREADS_DEADLINE_MS } from "../limits.ts";
import type { Channel, Groups, Threads } from "../ports.ts";
import type { ThreadLog } from "./thread-log.ts";
import { TOUCH_COUNTS_MS, TOUCH_RENEWS_MS, type TouchLedger } from "./touch-ledger.ts";

/** No channel instance took the event within this: UNAVAILABLE (docs/design.md, section 7, Publish). */
const PUBLISH_DEADLINE_MS = 2_000;

/** An entry that is in the store and is to be told of. */
export interface StoredEntry {
  readonly seq: number;
  readonly ordinal: number;
  /** "" for a void, which names no one. */
  readonly sender: string;
  /** Whether a person would count it as a message. */
  readonly isMessage: boolean;
  /** Whether it stands for a send that was sealed: it touches no row. */
  readonly isVoid?: boolean;
  readonly cell: Uint8Array;
  /** The session whose send is answered, which gets no `entry`; "" for none. */
  readonly originSession: string;
  /** For every entry of a group, and for no other. */
  readonly mark?: GroupMark;
  /** A member or setting entry that was appended just now, and is not projected yet. */
  readonly appended?: AppendedChange;
}

/** A member or setting entry of our own append. */
export interface AppendedChange {
  readonly entry: RosterEntry;
  /** The moment before the append was sent, by the monotonic clock: whatever projects it does so later. */
  readonly sentAtMs: number;
}

export interface GatePorts {
  readonly threads: Threads;
  readonly groups: Groups;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly ledger: TouchLedger;
  readonly deadlines: Deadlines;
}

/** How often a large group's activity row is written, at most, in ms. */
const ACTIVITY_EVERY_MS = 45_000;

/**
 * What every answer that names a seq passes: a member or setting entry is projected, a touch is in force for every
 * member, the sender of a message is noted as one who has written here, the event is handed over, and only then the
 * answer (docs/design.md, section 5, The gate).
 */
export class Gate {
  readonly #ports: GatePorts;

  constructor(ports: GatePorts) {
    this.#ports = ports;
  }

  /** Before an append: touches the members that no touch covers, and waits for it. */
  async cover(log: ThreadLog): Promise<void> {
    const missing = this.#uncovered(log, log.membership.audience.touched);
    if (missing.length > 0) await this.#touch(log, missing);
  }

  /**
   * After the store has confirmed that the entries are there: judges the touches now, publishes in order, and resolves
   * with the channel's words. Rejects if either cannot be done: then nothing may be answered.
   */
  async pass(log: ThreadLog, entries: readonly StoredEntry[]): Promise<readonly HandOff[]> {
    if (entries.every(({ isVoid }) => isVoid)) return this.#tell(log, entries);
    const before = log.membership.audience;
    for (const { appended } of entries) if (appended) await this.#project(log, appended);
    const { audience } = log.membership;
    // The entry that makes a group large still touches all its members: those before it here, the others above.
    const missing = this.#uncovered(log, audience.isLarge ? before.touched : audience.touched);
    const { writers } = log.membership;
    const unnoted = entries.filter((entry) => entry.isMessage && !writers.has(entry.sender));
    if (missing.length + unnoted.length > 0) {
      await Promise.all([this.#touch(log, missing), this.#noteWriters(log, unnoted)]);
    }
    const said = await this.#tell(log, entries);
    if (audience.isLarge) this.#noteActivity(log);
    else this.#renew(log);
    return said;
  }

  /** Publishes in order; voids before the first message of a direct thread, which nobody is shown, excepted. */
  async #tell(log: ThreadLog, entries: readonly StoredEntry[]): Promise<readonly HandOff[]> {
    const words = entries.map((entry) =>
      entry.isVoid && entry.ordinal === 0 && !log.isGroup ? UNTOLD : this.#publish(log, entry),
    );
    return areSaid(words) ? words : this.#inTime(Promise.all(words));
  }

  #uncovered(log: ThreadLog, owners: readonly string[]): readonly string[] {
    return this.#ports.ledger.uncovered(log.touches, owners, TOUCH_COUNTS_MS);
  }

  /**
   * Projects our own member or setting entry: a touch of who comes and who goes, made after the append. One who stays
   * was covered before it.
   */
  async #project(log: ThreadLog, { entry, sentAtMs }: AppendedChange): Promise<void> {
    const { groups, ledger, deadlines } = this.#ports;
    const projecting = groups.project(entry, log.cache.headBucket);
    const applied = await deadlines.bound(projecting, THREADS_DEADLINE_MS, () => storeUnavailable("thread"));
    if (applied < entry.seq) throw storeUnavailable("thread");
    const { view } = log.membership;
    if (view?.roster.appliedSeq === entry.previousSeq)
      log.membership.takeRoster(applyEntry(view.roster, entry), view.epoch);
    if (entry.isLarge) return;
    const added = entry.added.map(({ userId }) => userId);
    ledger.confirmed(log.touches, added, sentAtMs);
  }

  /** After the commit, so that nobody counts as one who has written by what is not in the log. */
  async #noteWriters({ threadId, membership }: ThreadLog, messages: readonly StoredEntry[]): Promise<void> {
    const { threads, deadlines } = this.#ports;
    const newest = new Map(messages.map(({ sender, seq }) => [sender, seq]));
    for (const [sender, seq] of newest) {
      const since = membership.memberSince(sender);
      const noting = threads.noteWriter(threadId, sender, seq);
      await deadlines.bound(noting, THREADS_DEADLINE_MS, () => storeUnavailable("thread"));
      if (since !== undefined && since <= seq) membership.writers.addWriter(sender, since);
    }
  }

  async #touch(log: ThreadLog, owners: readonly string[]): Promise<void> {
    if (owners.length === 0) return;
    const { ledger, threads, deadlines } = this.#ports;
    const sentAtMs = ledger.beforeSending();
    const touching = threads.touch(log.threadId, owners, log.cache.headBucket);
    await deadlines.bound(touching, THREADS_DEADLINE_MS, () => storeUnavailable("thread"));
    ledger.confirmed(log.touches, owners, sentAtMs);
  }

  /** Renews touches in the background before they cease to count. If that fails, the next append waits for one. */
  #renew(log: ThreadLog): void {
    const { touches, membership } = log;
    if (touches.isRenewing) return;
    const ageing = this.#ports.ledger.uncovered(touches, membership.audience.touched, TOUCH_RENEWS_MS);
    if (ageing.length > 0) touches.renew(this.#touch(log, ageing));
  }

  /** The activity row serves recency and the bucket hint only: nobody waits for it. */
  #noteActivity(log: ThreadLog): void {
    const { groups, clock } = this.#ports;
    if (!log.touches.takeActivity(clock.monotonicMs(), ACTIVITY_EVERY_MS)) return;
    groups.noteActivity(log.threadId, log.cache.headBucket).catch(() => log.touches.missActivity());
  }

  #publish(log: ThreadLog, entry: StoredEntry): HandOff | Promise<HandOff> {
    const publication: Publication = {
      kind: "entry",
      topics: log.membership.audience.topics,
      frame: entryFrame(log.threadId, entry.seq, entry.cell),
      thread: log.key,
      seq: entry.seq,
      ordinal: entry.ordinal,
      userId: entry.sender,
      originSession: entry.originSession,
    };
    const { mark } = entry;
    return this.#ports.channel.publish(mark ? marked(publication, mark) : publication);
  }

  #inTime<T>(handingOver: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(handingOver, PUBLISH_DEADLINE_MS, handOffFailed);
  }
}

/** Nobody was asked. */
const UNTOLD: HandOff = { subscribed: [] };

/** A channel service in this process answers at once. */
function areSaid(words: readonly (HandOff | Promise<HandOff>)[]): words is readonly HandOff[] {
  return !words.some((word) => word instanceof Promise);
}

/** An event of a group. One who comes hears of it through the inbox, too. */
function marked(publication: Publication, group: GroupMark): Publication {
  const added = group.change?.added ?? [];
  const topics = added.length > 0 ? [...publication.topics, ...added.map(inbox)] : publication.topics;
  return { ...publication, topics, group };
}
