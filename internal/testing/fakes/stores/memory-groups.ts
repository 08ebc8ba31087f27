import type { Roster, RosterEntry, Span } from "../../../base/group.ts";
import { hex } from "../../../base/ids.ts";
import { participants } from "../../../base/thread-id.ts";
import { applyEntry, EMPTY_ROSTER } from "../../../message/group/roster.ts";
import type { Blocks, Groups, LargeGroups, ThreadView } from "../../../message/ports.ts";
import type { Block } from "../../../store/block-store.ts";

/** A user's row of a group, kept after the user has left. */
interface GroupRow {
  /** Memberships before this one, the oldest first. */
  readonly earlier: readonly Span[];
  joinedSeq: number;
  joinedOrdinal: number;
  /** Undefined for members. */
  leftSeq: number | undefined;
  leftOrdinal: number | undefined;
}

interface MemoryGroup {
  roster: Roster;
  headBucket: number;
  readonly rows: Map<string, GroupRow>;
  /** Seqs of entries, by who made them under which request. */
  readonly changes: Map<string, number>;
}

/** The projection of groups, and blocks, in memory: each call takes effect at once, when it is made. */
export class MemoryGroups implements Groups, Blocks, LargeGroups {
  readonly #groups = new Map<string, MemoryGroup>();
  /** `<owner> <blocked user>`. */
  readonly #blocks = new Set<string>();
  /** How many large groups users are in. */
  readonly large = new Map<string, number>();
  /** Bucket hints that were written, in order. */
  readonly activity: number[] = [];

  async roster(threadId: Uint8Array): Promise<Roster | undefined> {
    return this.#groups.get(hex(threadId))?.roster;
  }

  /** As GroupStore.project: an entry that does not follow on what was applied changes nothing. */
  async project(entry: RosterEntry, headBucket: number): Promise<number> {
    const group = this.#group(entry.threadId);
    if (group.roster.appliedSeq !== entry.previousSeq) return group.roster.appliedSeq;
    const { seq, ordinal, added, removed, sender, requestId } = entry;
    group.roster = applyEntry(group.roster, entry);
    group.headBucket = Math.max(group.headBucket, headBucket);
    for (const { userId } of added)
      group.rows.set(userId, {
        earlier: spansOf(group.rows.get(userId)),
        joinedSeq: seq,
        joinedOrdinal: ordinal,
        leftSeq: undefined,
        leftOrdinal: undefined,
      });
    for (const userId of removed) {
      const row = group.rows.get(userId);
      if (row) Object.assign(row, { leftSeq: seq, leftOrdinal: ordinal });
    }
    group.changes.set(`${sender} ${hex(requestId)}`, seq);
    return seq;
  }

  async changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Promise<number | undefined> {
    return this.#groups.get(hex(threadId))?.changes.get(`${sender} ${hex(requestId)}`);
  }

  async spanCounts(threadId: Uint8Array, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = this.#groups.get(hex(threadId))?.rows;
    return new Map(
      userIds.flatMap((userId) => {
        const row = rows?.get(userId);
        return row ? [[userId, row.earlier.length + 1] as const] : [];
      }),
    );
  }

  async noteActivity(_threadId: Uint8Array, headBucket: number): Promise<void> {
    this.activity.push(headBucket);
  }

  async between(a: string, b: string): Promise<readonly string[]> {
    return participants(a, b).filter((user) => this.#blocks.has(`${user} ${user === a ? b : a}`));
  }

  async find(userId: string, otherIds: readonly string[]): Promise<Block | undefined> {
    for (const other of otherIds) {
      const [ownerId] = await this.between(userId, other);
      if (ownerId) return { ownerId, otherUserId: ownerId === userId ? other : userId };
    }
    return undefined;
  }

  async count(userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return new Map(userIds.map((userId) => [userId, this.large.get(userId) ?? 0]));
  }

  /** In force when it returns. */
  setBlock(owner: string, other: string, isBlocked: boolean): void {
    if (isBlocked) this.#blocks.add(`${owner} ${other}`);
    else this.#blocks.delete(`${owner} ${other}`);
  }

  /** A user's row of a group. */
  view(threadId: Uint8Array, userId: string): ThreadView | undefined {
    const group = this.#groups.get(hex(threadId));
    const row = group?.rows.get(userId);
    if (!group || !row) return undefined;
    const { earlier, joinedSeq, leftSeq, leftOrdinal } = row;
    const seen = { earlier, joinedSeq, leftSeq, leftOrdinal };
    return { kind: "group", participants: [], headBucket: group.headBucket, ...seen };
  }

  #group(threadId: Uint8Array): MemoryGroup {
    const key = hex(threadId);
    let group = this.#groups.get(key);
    if (!group) {
      group = { roster: EMPTY_ROSTER, headBucket: 0, rows: new Map(), changes: new Map() };
      this.#groups.set(key, group);
    }
    return group;
  }
}

/** All memberships that are over. */
function spansOf(row: GroupRow | undefined): readonly Span[] {
  if (row?.leftSeq === undefined) return row?.earlier ?? [];
  return [...row.earlier, { firstSeq: row.joinedSeq, lastSeq: row.leftSeq }];
}
