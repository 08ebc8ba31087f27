import type { Roster } from "../../base/group.ts";
import type { Head } from "../../base/head.ts";
import { logDamaged, storeUnavailable } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import type { LogStore } from "../cells/log-store.ts";
import { THREADS_DEADLINE_MS } from "../limits.ts";
import type { Groups } from "../ports.ts";
import { previousOf, rosterEntryOf } from "./member-entry.ts";
import type { Membership } from "./membership.ts";
import { applyEntry, EMPTY_ROSTER } from "./roster.ts";

/** How often a projection is read that somebody else moves meanwhile. */
const MAX_READS = 4;
/** Entries that one load projects. Where more are missing, the load fails, and the next goes on from there. */
const MAX_PROJECTED = 256;
/** Links of the chain that one load follows. */
const MAX_LINKS = 100_000;

export interface RosterPorts {
  readonly groups: Groups;
  readonly store: LogStore;
  readonly deadlines: Deadlines;
}

/** A load of a roster that is under way, as of a head with this members_seq. */
interface Loading {
  readonly membersSeq: number;
  readonly roster: Promise<Roster | undefined>;
}

/**
 * Loads who is in a group as of a head, and finishes the projection where it is behind: it follows the chain of
 * `previous_members_seq` through the log and projects what is missing, in order (docs/design.md, section 5, Judged at H).
 */
export class RosterLoader {
  readonly #ports: RosterPorts;
  readonly #loading = new WeakMap<Membership, Loading>();

  constructor(ports: RosterPorts) {
    this.#ports = ports;
  }

  /**
   * The roster as of a head that was read from the store; the projection holds it then. Undefined if the projection is
   * newer than the head: read the head again. Rejects with STORE_UNAVAILABLE.
   */
  at(group: Membership, head: Head): Promise<Roster | undefined> {
    const known = group.view?.roster;
    if (known && known.appliedSeq >= head.membersSeq) {
      return Promise.resolve(known.appliedSeq === head.membersSeq ? known : undefined);
    }
    const loading = this.#loading.get(group);
    if (loading?.membersSeq === head.membersSeq) return loading.roster;
    const roster = this.#load(group, head);
    this.#loading.set(group, { membersSeq: head.membersSeq, roster });
    const done = () => {
      if (this.#loading.get(group)?.roster === roster) this.#loading.delete(group);
    };
    roster.then(done, done);
    return roster;
  }

  async #load(group: Membership, head: Head): Promise<Roster | undefined> {
    for (let read = 0; read < MAX_READS; read++) {
      const projected = await this.#inTime(this.#ports.groups.roster(group.threadId));
      const roster = await this.#finish(group, head, projected ?? EMPTY_ROSTER);
      if (!roster) continue;
      group.takeRoster(roster, head.epoch);
      return roster.appliedSeq === head.membersSeq ? roster : undefined;
    }
    throw storeUnavailable("thread");
  }

  /** Projects what the projection lacks. Undefined if somebody else moved it meanwhile: read it again. */
  async #finish(group: Membership, head: Head, projected: Roster): Promise<Roster | undefined> {
    if (projected.appliedSeq >= head.membersSeq) return projected;
    let roster = projected;
    const headBucket = this.#ports.store.bucketOf(head.seq + 1);
    const missing = await this.#chain(group, head.membersSeq, projected.appliedSeq);
    for (const seq of missing) {
      const entry = rosterEntryOf(group.threadId, seq, await this.#cell(group, seq), roster);
      const applied = await this.#inTime(this.#ports.groups.project(entry, headBucket));
      if (applied < seq) return undefined;
      roster = applyEntry(roster, entry);
    }
    if (roster.appliedSeq < head.membersSeq) throw storeUnavailable("thread");
    return roster;
  }

  /** The oldest member and setting entries above `applied`, in order, found from the newest, `last`, downwards. */
  async #chain(group: Membership, last: number, applied: number): Promise<readonly number[]> {
    const chain: number[] = [];
    for (let seq = last, link = 0; seq > applied; link++) {
      if (link === MAX_LINKS) throw storeUnavailable("thread");
      chain.push(seq);
      if (chain.length > MAX_PROJECTED) chain.shift();
      const previous = previousOf((await this.#cell(group, seq)).body);
      if (previous === undefined || previous >= seq) throw logDamaged(seq);
      seq = previous;
    }
    return chain.reverse();
  }

  async #cell(group: Membership, seq: number) {
    return decodeCell(await this.#ports.store.cell(group.threadId, seq));
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(call, THREADS_DEADLINE_MS, () => storeUnavailable("thread"));
  }
}
