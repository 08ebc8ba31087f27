import type { Clock } from "../../base/clock.ts";
import type { Hint, Publication, Topic } from "../../base/publication.ts";
import { rendezvousOwner } from "../../base/rendezvous.ts";
import type { Member, Ring } from "../../base/ring.ts";
import type { ChannelInstance } from "../ports.ts";
import { answerInTime } from "./answer-in-time.ts";

/** How often each owner is asked, in ms, for as long as it is not exact. */
export const REPAIR_EVERY_MS = 1_000;

/** Bound of the set by default: some 40,000 topics. */
const REPAIR_BYTES = 8 * 1024 * 1024;

/** What a topic weighs besides its name, in bytes. */
const RECORD_BYTES = 128;

/** Hints that an owner which is exact gets at a time. */
const HINTS_AT_ONCE = 100;

export interface RepairSetInit {
  readonly clock: Clock;
  readonly ring: Ring;
  readonly instance: (member: Member) => ChannelInstance;
  readonly repairBytes?: number;
}

/**
 * Topics of which an event was accepted that may not have reached all who subscribe. Every second each owner, by the
 * ring of that moment, gets a hint of one of its topics, and of the others once it has answered `exact`, which alone
 * removes a topic.
 */
export class RepairSet {
  /** Hints asked; topics for which there was no room, which are left to the next event or Sync. Only grow. */
  readonly counters = { hints: 0, overflows: 0 };
  readonly #init: RepairSetInit;
  readonly #limitBytes: number;
  readonly #hints = new Map<Topic, Hint>();
  readonly #busy = new Set<string>();
  #bytes = 0;
  #isTicking = false;
  #drained: (() => void)[] = [];

  constructor(init: RepairSetInit) {
    this.#init = init;
    this.#limitBytes = init.repairBytes ?? REPAIR_BYTES;
  }

  /** Topics that wait. */
  get size(): number {
    return this.#hints.size;
  }

  /** `typing` is worth nothing later, and of a group only entries can be compared. */
  add({ kind, topics, seq }: Publication): void {
    if (kind === "typing") return;
    for (const topic of topics) {
      const isInbox = topic.startsWith("user/");
      if (!isInbox && kind !== "entry") continue;
      this.#put({ topic, seq: isInbox ? 0 : seq });
    }
    this.#tick();
  }

  /** Resolves when the set is empty. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#drained.push(resolve);
      this.#noteDrained();
    });
  }

  /** Another object each time, so that an answer to an older hint does not remove it. */
  #put(hint: Hint): void {
    const held = this.#hints.get(hint.topic);
    const bytes = held ? 0 : hint.topic.length + RECORD_BYTES;
    if (this.#bytes + bytes > this.#limitBytes) {
      this.counters.overflows++;
      return;
    }
    this.#bytes += bytes;
    this.#hints.set(hint.topic, { ...hint, seq: Math.max(hint.seq, held?.seq ?? 0) });
  }

  #tick(): void {
    if (this.#isTicking || this.#hints.size === 0) return;
    this.#isTicking = true;
    this.#init.clock.after(REPAIR_EVERY_MS, () => {
      this.#isTicking = false;
      for (const [owner, hints] of this.#byOwner()) {
        if (this.#busy.has(owner.name)) continue;
        this.#busy.add(owner.name);
        void this.#repair(owner, hints).finally(() => this.#busy.delete(owner.name));
      }
      this.#tick();
    });
  }

  #byOwner(): Map<Member, Hint[]> {
    const { members } = this.#init.ring.view();
    const found = new Map<Member, Hint[]>();
    for (const hint of this.#hints.values()) {
      const owner = rendezvousOwner(members, hint.topic);
      if (!owner) continue;
      const own = found.get(owner);
      if (own) own.push(hint);
      else found.set(owner, [hint]);
    }
    return found;
  }

  async #repair(owner: Member, [probe, ...others]: readonly Hint[]): Promise<void> {
    if (!probe || !(await this.#tell(owner, probe))) return;
    for (let at = 0; at < others.length; at += HINTS_AT_ONCE) {
      const told = others.slice(at, at + HINTS_AT_ONCE).map((hint) => this.#tell(owner, hint));
      if ((await Promise.all(told)).includes(false)) return;
    }
  }

  /** Whether the instance is exact. Its owner may be another by now: then it is asked in a second. */
  async #tell(asked: Member, hint: Hint): Promise<boolean> {
    const { members, number } = this.#init.ring.view();
    if (rendezvousOwner(members, hint.topic)?.incarnation !== asked.incarnation) return false;
    this.counters.hints++;
    const answer = await answerInTime(this.#init.clock, () => this.#init.instance(asked).hint(hint, number));
    if (answer?.kind !== "exact") return false;
    if (this.#hints.get(hint.topic) === hint) {
      this.#hints.delete(hint.topic);
      this.#bytes -= hint.topic.length + RECORD_BYTES;
      this.#noteDrained();
    }
    return true;
  }

  #noteDrained(): void {
    if (this.#hints.size > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
