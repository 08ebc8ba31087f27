import type { InferResult, Kysely } from "kysely";
import type { Span } from "../../base/group.ts";
import { participants } from "../../base/thread-id.ts";
import type { GroupView, ThreadRow } from "../thread-store.ts";
import type { Tables } from "./tables.ts";

/** Thread rows with what else an owner sees of a thread: the group, the owner's role in it, its activity, a block. */
export function viewedRows(db: Kysely<Tables>) {
  return db
    .selectFrom("thread")
    .leftJoin("group_thread", "group_thread.thread_id", "thread.thread_id")
    .leftJoin("member", (join) =>
      join.onRef("member.thread_id", "=", "thread.thread_id").onRef("member.user_id", "=", "thread.owner_id"),
    )
    .leftJoin("activity", "activity.thread_id", "thread.thread_id")
    .leftJoin("block", (join) =>
      join
        .onRef("block.owner_id", "=", "thread.owner_id")
        .onRef("block.other_user_id", "=", "thread.other_user_id"),
    )
    .selectAll("thread")
    .select([
      "group_thread.name",
      "group_thread.applied_seq",
      "group_thread.member_count",
      "member.role",
      "activity.updated_at_ms as activity_at_ms",
      "activity.head_bucket as activity_bucket",
      "block.owner_id as blocker_id",
    ]);
}

/** What one of `viewedRows` is. */
export type ViewedRow = InferResult<ReturnType<typeof viewedRows>>[number];

/** What the column earlier_spans says. */
export function toSpans(column: string): readonly Span[] {
  return Array.from(column.matchAll(/(\d+)-(\d+) /g), ([, first, last]) => ({
    firstSeq: Number(first),
    lastSeq: Number(last),
  }));
}

/** The row as the store's users know it. The activity of a group is not shown to one who left. */
export function toThreadRow(row: ViewedRow): ThreadRow {
  const isMember = row.has_left === 0;
  return {
    ownerId: row.owner_id,
    threadId: row.thread_id,
    kind: row.kind,
    participants: row.other_user_id === null ? [] : participants(row.owner_id, row.other_user_id),
    isBlocked: row.blocker_id !== null,
    group: row.kind === "group" ? toGroupView(row) : undefined,
    createdAtMs: row.created_at_ms,
    updatedAtMs: isMember ? Math.max(row.updated_at_ms, row.activity_at_ms ?? 0) : row.updated_at_ms,
    isMuted: row.is_muted === 1,
    readSeq: row.read_seq,
    readOrdinal: row.read_ordinal,
    headBucket: isMember ? Math.max(row.head_bucket, row.activity_bucket ?? 0) : row.head_bucket,
    version: row.version,
    activeUntilMs: row.active_until_ms,
  };
}

function toGroupView(row: ViewedRow): GroupView {
  const { left_seq: seq, left_ordinal: ordinal } = row;
  const hasLeft = row.has_left === 1;
  return {
    name: (hasLeft ? row.left_name : row.name) ?? "",
    memberCount: (hasLeft ? row.left_member_count : row.member_count) ?? 0,
    isLarge: row.is_large === 1,
    role: row.role ?? undefined,
    earlier: toSpans(row.earlier_spans),
    joinedSeq: row.joined_seq,
    membersSeq: (hasLeft ? seq : row.applied_seq) ?? 0,
    left: hasLeft ? { seq: seq ?? 0, ordinal: ordinal ?? 0 } : undefined,
  };
}
