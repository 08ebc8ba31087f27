import type { RosterEntry } from "../../../base/group.ts";
import { hex } from "../../../base/ids.ts";
import type { GroupStore } from "../../../store/group-store.ts";
import type { Interleaving } from "../interleaving.ts";

/** The groups of a SyncWorld: `wide` and `broad` are large from the beginning, the others may become so. */
export const GROUPS = ["small", "growing", "wide", "broad"] as const;
export type GroupName = (typeof GROUPS)[number];

/** The only member whose rows matter, and the one who does everything. */
const OWNER = "ann";
const OTHER = "bob";

/** A group's log, as far as its members go. */
interface GroupHead {
  readonly membersSeq: number;
  readonly seq: number;
}

export interface SyncWorldGroupsInit {
  readonly points: Interleaving;
  readonly store: GroupStore;
  /** The highest seq of each log. */
  readonly committed: Map<string, number>;
  /** Has a touch of the owner in force when it resolves. */
  readonly cover: (threadId: Uint8Array) => Promise<void>;
  /** Somebody is told that the entry, which the owner may see, is there. */
  readonly accept: (threadId: Uint8Array, seq: number) => void;
}

/**
 * Groups as the message service keeps them: a change or post is judged by the projection as of the head, which is brought
 * up to the head first, and is appended only if the head is still that one (docs/design.md, section 5). Members of small
 * groups are touched, those of large ones are not.
 */
export class SyncWorldGroups {
  readonly #init: SyncWorldGroupsInit;
  readonly #changes = new Map<string, RosterEntry[]>();

  constructor(init: SyncWorldGroupsInit) {
    this.#init = init;
  }

  /** The group with its owner, made before the history begins. */
  async create(name: GroupName): Promise<void> {
    const { store, committed, accept } = this.#init;
    const threadId = idOf(name);
    const added = [OWNER, OTHER].map((userId) => ({ userId, role: "member" as const }));
    const entry = {
      ...plainEntry(threadId, 1, 0),
      name,
      added,
      isLarge: name === "wide" || name === "broad",
    };
    committed.set(hex(threadId), 1);
    this.#changes.set(hex(threadId), [entry]);
    await store.project(entry, 0);
    accept(threadId, 1);
  }

  /** Appends, unless others are always faster. */
  async append(name: GroupName, kind: "post" | "move" | "grow"): Promise<void> {
    const { committed, cover, accept } = this.#init;
    const threadId = idOf(name);
    for (let tries = 0; tries < 3; tries++) {
      const head = {
        seq: committed.get(hex(threadId)) ?? 0,
        membersSeq: this.#lastChange(threadId)?.seq ?? 0,
      };
      const roster = await this.#projected(threadId, head);
      if (!roster) continue; // Newer than the head that was read.
      const isMember = roster.members.has(OWNER);
      const touches = isMember && !roster.isLarge;
      if (touches) await cover(threadId);
      const entry = kind === "post" ? undefined : this.#entry(threadId, head, kind, isMember, roster.isLarge);
      const seq = await this.#put(threadId, head, entry);
      if (seq === undefined) continue;
      if (entry) await this.#project(entry);
      if (touches) await cover(threadId);
      if (isMember || entry?.added.length) accept(threadId, seq);
      return;
    }
  }

  /** The roster as of the head, once what was missing of it is projected. */
  async #projected(threadId: Uint8Array, head: GroupHead) {
    const { store, points } = this.#init;
    const read = () => points.call("store", "thread", false, () => store.roster(threadId));
    let roster = await read();
    for (const entry of this.#changes.get(hex(threadId)) ?? []) {
      if (entry.seq > (roster?.appliedSeq ?? 0) && entry.seq <= head.membersSeq) await this.#project(entry);
    }
    roster = await read();
    return roster?.appliedSeq === head.membersSeq ? roster : undefined;
  }

  #project(entry: RosterEntry): Promise<number> {
    const { points, store } = this.#init;
    return points.call("store", "thread", true, () => store.project(entry, 0));
  }

  /** Undefined if the head is another by now. */
  #put(threadId: Uint8Array, head: GroupHead, entry: RosterEntry | undefined): Promise<number | undefined> {
    const { points, committed } = this.#init;
    return points.call("store", "message", true, async () => {
      if (committed.get(hex(threadId)) !== head.seq) return undefined;
      committed.set(hex(threadId), head.seq + 1);
      if (entry) this.#changes.get(hex(threadId))?.push(entry);
      return head.seq + 1;
    });
  }

  /** The entry of a change: the owner goes or comes back, or the group becomes large. */
  #entry(
    threadId: Uint8Array,
    head: GroupHead,
    kind: "move" | "grow",
    isMember: boolean,
    isLarge: boolean,
  ): RosterEntry {
    const entry = {
      ...plainEntry(threadId, head.seq + 1, head.membersSeq),
      isLarge: isLarge || kind === "grow",
    };
    if (kind === "grow") return entry;
    return isMember
      ? { ...entry, removed: [OWNER] }
      : { ...entry, added: [{ userId: OWNER, role: "member" }] };
  }

  #lastChange(threadId: Uint8Array): RosterEntry | undefined {
    return this.#changes.get(hex(threadId))?.at(-1);
  }
}

function idOf(name: GroupName): Uint8Array {
  return new Uint8Array(16).fill(2 * (1 + GROUPS.indexOf(name)));
}

function plainEntry(threadId: Uint8Array, seq: number, previousSeq: number): RosterEntry {
  return {
    threadId,
    seq,
    ordinal: 0,
    previousSeq,
    createdAtMs: 0,
    sender: OTHER,
    requestId: Uint8Array.from({ length: 16 }, (_, at) => (at < 2 ? seq >> (8 * at) : 0)),
    name: undefined,
    added: [],
    removed: [],
    changed: [],
    memberCount: 2,
    isLarge: false,
  };
}
