import type { Roster } from "../../base/group.ts";
import type { Head } from "../../base/head.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import { THREADS_DEADLINE_MS } from "../limits.ts";
import { bucketOf } from "../log/head-finder.ts";
import type { ThreadLog } from "../log/thread-log.ts";
import type { Groups, MessageStore } from "../ports.ts";
import { previousOf, rosterEntryOf } from "./member-entry.ts";
import { applyEntry, EMPTY_ROSTER } from "./roster.ts";

/** How often a projection is read that somebody else moves meanwhile. */
const MAX_READS = 4;
/** Entries that one load projects. Where more are missing, the load fails, and the next goes on from there. */
const MAX_PROJECTED = 256;
/** Links of the chain that one load follows. */
const MAX_LINKS = 100_000;

export interface RosterPorts {
  readonly groups: Groups;
  readonly store: MessageStore;
  readonly deadlines: Deadlines;
  /** Entries in a row; 512 but in tests. */
  readonly bucketSize: number;
}

/**
 * Loads who is in a group as of a head, and finishes the projection where it is behind: it follows the chain of
 * `previous_members_seq` through the log and projects what is missing, in order (docs/design.md, section 5, Judged at H).
 */
export class RosterLoader {
  readonly #ports: RosterPorts;

  constructor(ports: RosterPorts) {
    this.#ports = ports;
  }

  /**
   * The roster as of a head that was read from the store; the projection holds it then. Undefined if the projection is
   * newer than the head: read the head again. Rejects with STORE_UNAVAILABLE.
   */
  at(log: ThreadLog, head: Head): Promise<Roster | undefined> {
    const known = log.view?.roster;
    if (known && known.appliedSeq >= head.membersSeq) {
      return Promise.resolve(known.appliedSeq === head.membersSeq ? known : undefined);
    }
    const { loading } = log;
    if (loading?.membersSeq === head.membersSeq) return loading.roster;
    const roster = this.#load(log, head);
    log.loading = { membersSeq: head.membersSeq, roster };
    const done = () => {
      if (log.loading?.roster === roster) log.loading = undefined;
    };
    roster.then(done, done);
    return roster;
  }

  async #load(log: ThreadLog, head: Head): Promise<Roster | undefined> {
    for (let read = 0; read < MAX_READS; read++) {
      const projected = await this.#inTime(this.#ports.groups.roster(log.threadId));
      const roster = await this.#finish(log, head, projected ?? EMPTY_ROSTER);
      if (!roster) continue;
      log.takeRoster(roster, head.epoch);
      return roster.appliedSeq === head.membersSeq ? roster : undefined;
    }
    throw storeUnavailable("thread");
  }

  /** Projects what the projection lacks. Undefined if somebody else moved it meanwhile: read it again. */
  async #finish(log: ThreadLog, head: Head, projected: Roster): Promise<Roster | undefined> {
    if (projected.appliedSeq >= head.membersSeq) return projected;
    let roster = projected;
    const missing = await this.#chain(log, head.membersSeq, projected.appliedSeq);
    for (const seq of missing) {
      const entry = rosterEntryOf(log.threadId, seq, await this.#cell(log, seq), roster);
      const applied = await this.#inTime(this.#ports.groups.project(entry, log.hint));
      if (applied < seq) return undefined;
      roster = applyEntry(roster, entry);
    }
    if (roster.appliedSeq < head.membersSeq) throw storeUnavailable("thread");
    return roster;
  }

  /** The oldest member and setting entries above `applied`, in order, found from the newest, `last`, downwards. */
  async #chain(log: ThreadLog, last: number, applied: number): Promise<readonly number[]> {
    const chain: number[] = [];
    for (let seq = last, link = 0; seq > applied; link++) {
      if (link === MAX_LINKS) throw storeUnavailable("thread");
      chain.push(seq);
      if (chain.length > MAX_PROJECTED) chain.shift();
      const previous = previousOf((await this.#cell(log, seq)).body);
      if (previous === undefined || previous >= seq)
        throw new RangeError(`seq ${seq} names no entry before it`);
      seq = previous;
    }
    return chain.reverse();
  }

  async #cell(log: ThreadLog, seq: number) {
    const { store, bucketSize } = this.#ports;
    const row = { threadId: log.threadId, bucket: bucketOf(seq, bucketSize) };
    const { entries } = await this.#inTime(store.get(row, { entries: { fromSeq: seq, toSeq: seq } }));
    const [entry] = entries;
    if (!entry) throw new RangeError(`seq ${seq} is not in the log`);
    return decodeCell(entry.value);
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(call, THREADS_DEADLINE_MS, () => storeUnavailable("thread"));
  }
}
