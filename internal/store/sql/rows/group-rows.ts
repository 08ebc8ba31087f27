import type { ListedMember, Roster, RosterEntry } from "../../../base/group.ts";
import type { ThreadRow } from "../../thread-store.ts";
import type { groupStatements } from "../group-statements.ts";
import type { threadStatements } from "../thread-statements.ts";
import { toSpans, toThreadRow } from "../viewed-rows.ts";
import { all, get, lockGroup, lockOwners, run, type Work } from "../work.ts";

export interface GroupRowsInit {
  readonly groups: ReturnType<typeof groupStatements>;
  readonly threads: ReturnType<typeof threadStatements>;
  /** Takes the owner's next version. */
  readonly takeVersion: (ownerId: string) => Work<number>;
}

/** The group as an entry leaves it. */
interface Projected {
  readonly name: string;
  readonly memberCount: number;
  readonly isLarge: number;
  readonly createdAtMs: number;
}

/** What an entry does to one owner's row, given the version that the row takes. */
type RowChange = (version: number) => Work<unknown>;

/** The projection of groups and their rows, as the work of reads and transactions. */
export class GroupRows {
  readonly #init: GroupRowsInit;

  constructor(init: GroupRowsInit) {
    this.#init = init;
  }

  /** See GroupStore.roster. */
  *roster(threadId: Uint8Array): Work<Roster | undefined> {
    const { groups } = this.#init;
    const group = yield* get(groups.readGroup, { threadId });
    if (!group) return undefined;
    const found = yield* all(groups.readRoster, { threadId });
    const members = found.map(({ user_id: userId, role, joined_seq }) => {
      return [userId, { userId, role, joinedSeq: joined_seq }] as const;
    });
    const { applied_seq: appliedSeq, name, is_large } = group;
    return { appliedSeq, name, isLarge: is_large === 1, members: new Map(members) };
  }

  /** See GroupStore.project. Only within a transaction. */
  *project(entry: RosterEntry, headBucket: number): Work<number> {
    const { groups } = this.#init;
    const { threadId, sender, requestId, seq, previousSeq } = entry;
    yield* lockGroup(threadId);
    const before = yield* get(groups.readGroup, { threadId });
    const appliedSeq = before?.applied_seq ?? 0;
    if (appliedSeq !== previousSeq) return appliedSeq;
    const group: Projected = {
      name: entry.name ?? before?.name ?? "",
      memberCount: entry.memberCount,
      isLarge: entry.isLarge ? 1 : 0,
      createdAtMs: before?.created_at_ms ?? entry.createdAtMs,
    };
    const values = { ...group, threadId, seq, previousSeq };
    const taken = before ? yield* run(groups.updateGroup, values) : yield* run(groups.insertGroup, values);
    if (taken === 0) return (yield* get(groups.readGroup, { threadId }))?.applied_seq ?? 0;
    yield* run(groups.insertChange, { threadId, sender, requestId, seq });
    yield* this.#setMembers(entry);
    yield* this.#setRows(yield* this.#rowChanges(entry, group, headBucket, before?.is_large === 1));
    return seq;
  }

  /** See GroupStore.changeSeq. */
  *changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Work<number | undefined> {
    return (yield* get(this.#init.groups.readChange, { threadId, sender, requestId }))?.seq;
  }

  /** See GroupStore.noteActivity. */
  *noteActivity(threadId: Uint8Array, headBucket: number): Work<void> {
    yield* run(this.#init.groups.noteActivity, { threadId, headBucket });
  }

  /** See GroupStore.rowsOf. */
  *rowsOf(threadId: Uint8Array, ownerIds: readonly string[]): Work<readonly ThreadRow[]> {
    const rows: ThreadRow[] = [];
    for (const ownerId of ownerIds) {
      const row = yield* get(this.#init.threads.readRow, { ownerId, threadId });
      if (row) rows.push(toThreadRow(row));
    }
    return rows;
  }

  /** See GroupStore.memberPage. */
  *memberPage(
    threadId: Uint8Array,
    viewerId: string,
    afterUserId: string,
    limit: number,
  ): Work<readonly ListedMember[] | undefined> {
    const { groups } = this.#init;
    if (!(yield* get(groups.readMember, { threadId, userId: viewerId }))) return undefined;
    const page = yield* all(groups.listMembers, { threadId, userId: afterUserId, limit });
    return page.map(({ user_id: userId, role, joined_seq: joinedSeq, earlier_spans }) => {
      return { userId, role, joinedSeq, earlier: toSpans(earlier_spans) };
    });
  }

  /** See GroupStore.groupsOf. */
  *groupsOf(userId: string): Work<readonly Uint8Array[]> {
    return (yield* all(this.#init.groups.groupsOf, { userId })).map((member) => member.thread_id);
  }

  /** See GroupStore.largeGroupCounts. */
  *largeGroupCounts(userIds: readonly string[]): Work<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const ownerId of userIds) {
      counts.set(ownerId, (yield* get(this.#init.groups.countLarge, { ownerId }))?.count ?? 0);
    }
    return counts;
  }

  /** See GroupStore.shareGroup. */
  *shareGroup(a: string, b: string): Work<boolean> {
    return (yield* get(this.#init.groups.shareGroup, { userId: a, otherUserId: b })) !== undefined;
  }

  /** The maker of the group is shown to its members as if it had written. */
  *#setMembers({ threadId, seq, previousSeq, sender, added, removed, changed }: RosterEntry): Work<void> {
    const { groups } = this.#init;
    for (const userId of removed) yield* run(groups.deleteMember, { threadId, userId });
    for (const { userId, role } of added) {
      const hasWritten = previousSeq === 0 && userId === sender ? 1 : 0;
      yield* run(groups.setMember, { threadId, userId, role, seq, hasWritten, addedBy: sender });
    }
    for (const { userId, role } of changed) yield* run(groups.setRole, { threadId, userId, role });
  }

  /** By owner. An entry that makes the group large changes every member's row. */
  *#rowChanges(
    entry: RosterEntry,
    group: Projected,
    headBucket: number,
    wasLarge: boolean,
  ): Work<Map<string, RowChange>> {
    const { groups } = this.#init;
    const { threadId, seq, ordinal } = entry;
    const touch = { threadId, headBucket, seq, ordinal, ...group };
    const changes = new Map<string, RowChange>();
    const change = (ownerId: string) => (version: number) =>
      run(groups.changeRow, { ownerId, threadId, version, isLarge: group.isLarge });
    if (entry.isLarge && !wasLarge) {
      for (const { user_id: ownerId } of yield* all(groups.readRoster, { threadId }))
        changes.set(ownerId, change(ownerId));
    }
    for (const { userId: ownerId } of entry.changed) changes.set(ownerId, change(ownerId));
    for (const { userId: ownerId } of entry.added)
      changes.set(ownerId, (version) => this.#join({ ...touch, ownerId, version }));
    for (const ownerId of entry.removed)
      changes.set(ownerId, (version) => run(groups.leaveRow, { ...touch, ownerId, version }));
    return changes;
  }

  *#join(row: Parameters<GroupRowsInit["groups"]["insertRow"]["bind"]>[0]): Work<number> {
    const { groups, threads } = this.#init;
    return yield* run((yield* get(threads.hasRow, row)) ? groups.rejoinRow : groups.insertRow, row);
  }

  /** Owners in ascending order, as every write takes them. */
  *#setRows(changes: ReadonlyMap<string, RowChange>): Work<void> {
    const ownerIds = [...changes.keys()].sort();
    yield* lockOwners(ownerIds);
    for (const ownerId of ownerIds) {
      const version = yield* this.#init.takeVersion(ownerId);
      const change = changes.get(ownerId);
      if (change) yield* change(version);
    }
  }
}
