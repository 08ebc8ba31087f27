import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Member, RosterEntry } from "../base/group.ts";
import { hex } from "../base/ids.ts";
import { groupThreadId } from "../base/thread-id.ts";
import type { StoreClock } from "./device-store.suite.ts";
import type { GroupStore } from "./group-store.ts";
import type { ThreadRow, ThreadStore } from "./thread-store.ts";

/** The stores that groups need. */
export type SampleStores = GroupStore & ThreadStore;

/** Everything an entry may leave out. */
const PLAIN = { ordinal: 0, name: undefined, added: [], removed: [], changed: [], isLarge: false } as const;

/** A group of a suite's, whose entries name one another. */
export class SampleGroup {
  readonly id = groupThreadId("somebody", randomBytes(16));
  readonly madeAtMs: number;
  readonly #store: SampleStores;
  #applied = 0;
  #count = 0;

  constructor(store: SampleStores, clock: StoreClock) {
    this.#store = store;
    this.madeAtMs = clock.nowMs();
  }

  /** With these members, the first of them its owner. */
  static async made(
    store: SampleStores,
    clock: StoreClock,
    userIds: readonly string[],
    isLarge = false,
  ): Promise<SampleGroup> {
    const group = new SampleGroup(store, clock);
    const added = userIds.map((userId, at) => (at === 0 ? owner(userId) : member(userId)));
    await group.project(1, { name: "Group", added, isLarge });
    return group;
  }

  entry(seq: number, parts: Partial<RosterEntry>): RosterEntry {
    this.#count += (parts.added?.length ?? 0) - (parts.removed?.length ?? 0);
    return {
      ...PLAIN,
      threadId: this.id,
      seq,
      previousSeq: this.#applied,
      createdAtMs: this.madeAtMs,
      sender: "somebody",
      requestId: new Uint8Array(randomBytes(16)),
      memberCount: this.#count,
      ...parts,
    };
  }

  async project(seq: number, parts: Partial<RosterEntry>, headBucket = 0): Promise<void> {
    assert.equal(await this.#store.project(this.entry(seq, parts), headBucket), seq);
    this.#applied = seq;
  }

  async row(userId: string): Promise<ThreadRow> {
    const [row] = await this.#store.get(userId, [this.id]);
    assert.ok(row);
    return row;
  }
}

/** Of rows, in hex. */
export function ids(rows: readonly ThreadRow[]): string[] {
  return rows.map(({ threadId }) => hex(threadId));
}

/** An owner, as an entry names it. */
export function owner(userId: string): Member {
  return { userId, role: "owner" };
}

/** A plain member, as an entry names it. */
export function member(userId: string): Member {
  return { userId, role: "member" };
}

/** New ones, in byte order. At most ten. */
export function users(count: number): [string, string, string, string] {
  const stem = `u${randomBytes(6).toString("hex")}`;
  return Array.from({ length: count }, (_, at) => `${stem}.${at}`) as [string, string, string, string];
}
