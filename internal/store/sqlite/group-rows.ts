import type { Clock } from "../../base/clock.ts";
import type { ListedMember, Roster, RosterEntry } from "../../base/group.ts";
import type { groupStatements } from "../sql/group-statements.ts";
import type { threadStatements } from "../sql/thread-statements.ts";
import { toSpans, toThreadRow } from "../sql/viewed-rows.ts";
import { ACTIVE_MS, type ThreadRow } from "../thread-store.ts";
import type { SqliteFile } from "./sqlite-file.ts";

export interface GroupRowsInit {
  readonly file: SqliteFile;
  readonly clock: Clock;
  readonly groups: ReturnType<typeof groupStatements>;
  readonly threads: ReturnType<typeof threadStatements>;
  /** Takes the owner's next version. */
  readonly takeVersion: (ownerId: string) => number;
}

/** The group as an entry leaves it. */
interface Projected {
  readonly name: string;
  readonly memberCount: number;
  readonly isLarge: number;
  readonly createdAtMs: number;
}

/** What an entry does to one owner's row, given the version that the row takes. */
type RowChange = (version: number) => void;

/** The projection of groups and their rows, as the synchronous work of reads and transactions. */
export class GroupRows {
  readonly #init: GroupRowsInit;

  constructor(init: GroupRowsInit) {
    this.#init = init;
  }

  /** See GroupStore.roster. */
  roster(threadId: Uint8Array): Roster | undefined {
    const { file, groups } = this.#init;
    const group = file.get(groups.readGroup, { threadId });
    if (!group) return undefined;
    const members = file.all(groups.readRoster, { threadId }).map(({ user_id: userId, role, joined_seq }) => {
      return [userId, { userId, role, joinedSeq: joined_seq }] as const;
    });
    const { applied_seq: appliedSeq, name, is_large } = group;
    return { appliedSeq, name, isLarge: is_large === 1, members: new Map(members) };
  }

  /** See GroupStore.project. Only within a transaction. */
  project(entry: RosterEntry, headBucket: number): number {
    const { file, groups } = this.#init;
    const { threadId, sender, requestId, seq } = entry;
    const before = file.get(groups.readGroup, { threadId });
    const appliedSeq = before?.applied_seq ?? 0;
    if (appliedSeq !== entry.previousSeq) return appliedSeq;
    const group: Projected = {
      name: entry.name ?? before?.name ?? "",
      memberCount: entry.memberCount,
      isLarge: entry.isLarge ? 1 : 0,
      createdAtMs: before?.created_at_ms ?? entry.createdAtMs,
    };
    file.run(groups.setGroup, { ...group, threadId, seq });
    file.run(groups.insertChange, { threadId, sender, requestId, seq });
    this.#setMembers(entry);
    this.#setRows(this.#rowChanges(entry, group, headBucket, before?.is_large === 1));
    return seq;
  }

  /** See GroupStore.changeSeq. */
  changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): number | undefined {
    const { file, groups } = this.#init;
    return file.get(groups.readChange, { threadId, sender, requestId })?.seq;
  }

  /** See GroupStore.noteActivity. */
  noteActivity(threadId: Uint8Array, headBucket: number): void {
    const { file, groups, clock } = this.#init;
    file.run(groups.noteActivity, { threadId, headBucket, nowMs: clock.nowMs() });
  }

  /** See GroupStore.rowsOf. */
  rowsOf(threadId: Uint8Array, ownerIds: readonly string[]): readonly ThreadRow[] {
    const { file, threads } = this.#init;
    return ownerIds.flatMap((ownerId) => {
      const row = file.get(threads.readRow, { ownerId, threadId });
      return row ? [toThreadRow(row)] : [];
    });
  }

  /** See GroupStore.memberPage. */
  memberPage(
    threadId: Uint8Array,
    viewerId: string,
    afterUserId: string,
    limit: number,
  ): readonly ListedMember[] | undefined {
    const { file, groups } = this.#init;
    if (!file.get(groups.readMember, { threadId, userId: viewerId })) return undefined;
    const page = file.all(groups.listMembers, { threadId, userId: afterUserId, limit });
    return page.map(({ user_id: userId, role, joined_seq: joinedSeq, earlier_spans }) => {
      return { userId, role, joinedSeq, earlier: toSpans(earlier_spans) };
    });
  }

  /** See GroupStore.groupsOf. */
  groupsOf(userId: string): readonly Uint8Array[] {
    const { file, groups } = this.#init;
    return file.all(groups.groupsOf, { userId }).map((member) => member.thread_id);
  }

  /** See GroupStore.largeGroupCounts. */
  largeGroupCounts(userIds: readonly string[]): ReadonlyMap<string, number> {
    const { file, groups } = this.#init;
    const count = (ownerId: string) => file.get(groups.countLarge, { ownerId })?.count ?? 0;
    return new Map(userIds.map((userId) => [userId, count(userId)]));
  }

  /** See GroupStore.shareGroup. */
  shareGroup(a: string, b: string): boolean {
    const { file, groups } = this.#init;
    return file.get(groups.shareGroup, { userId: a, otherUserId: b }) !== undefined;
  }

  /** The maker of the group is shown to its members as if it had written. */
  #setMembers({ threadId, seq, previousSeq, sender, added, removed, changed }: RosterEntry): void {
    const { file, groups } = this.#init;
    for (const userId of removed) file.run(groups.deleteMember, { threadId, userId });
    for (const { userId, role } of added) {
      const hasWritten = previousSeq === 0 && userId === sender ? 1 : 0;
      file.run(groups.setMember, { threadId, userId, role, seq, hasWritten, addedBy: sender });
    }
    for (const { userId, role } of changed) file.run(groups.setRole, { threadId, userId, role });
  }

  /** By owner. An entry that makes the group large changes every member's row. */
  #rowChanges(
    entry: RosterEntry,
    group: Projected,
    headBucket: number,
    wasLarge: boolean,
  ): Map<string, RowChange> {
    const { file, groups, clock } = this.#init;
    const { threadId, seq, ordinal } = entry;
    const nowMs = clock.nowMs();
    const touch = { threadId, nowMs, activeUntilMs: nowMs + ACTIVE_MS, headBucket, seq, ordinal, ...group };
    const changes = new Map<string, RowChange>();
    const change = (ownerId: string) => (version: number) =>
      file.run(groups.changeRow, { ownerId, threadId, version, isLarge: group.isLarge });
    if (entry.isLarge && !wasLarge) {
      for (const { user_id: ownerId } of file.all(groups.readRoster, { threadId }))
        changes.set(ownerId, change(ownerId));
    }
    for (const { userId: ownerId } of entry.changed) changes.set(ownerId, change(ownerId));
    for (const { userId: ownerId } of entry.added)
      changes.set(ownerId, (version) => this.#join({ ...touch, ownerId, version }));
    for (const ownerId of entry.removed)
      changes.set(ownerId, (version) => file.run(groups.leaveRow, { ...touch, ownerId, version }));
    return changes;
  }

  #join(row: Parameters<GroupRowsInit["groups"]["insertRow"]["bind"]>[0]): void {
    const { file, groups, threads } = this.#init;
    file.run(file.get(threads.hasRow, row) ? groups.rejoinRow : groups.insertRow, row);
  }

  /** Owners in ascending order, as every write takes them. */
  #setRows(changes: ReadonlyMap<string, RowChange>): void {
    for (const ownerId of [...changes.keys()].sort()) {
      changes.get(ownerId)?.(this.#init.takeVersion(ownerId));
    }
  }
}
