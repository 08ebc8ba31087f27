import { type Kysely, sql } from "kysely";
import type { Role } from "../../base/group.ts";
import { higher, NOW_MS, parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";
import { ACTIVE_UNTIL_MS } from "./thread-statements.ts";

type GroupName = { readonly threadId: Uint8Array };
type RowName = { readonly ownerId: string; readonly threadId: Uint8Array };
type RowTouch = RowName & { version: number; headBucket: number };
type GroupValues = GroupName & { name: string; seq: number; memberCount: number; isLarge: number };
type MemberValues = GroupName & { userId: string; role: Role };

const threadId = parameter<Uint8Array>("threadId");
const userId = parameter<string>("userId");
const seq = parameter<number>("seq");

/** The statements of GroupStore, compiled for the dialect of `db`. */
export function groupStatements(db: Kysely<Tables>) {
  return { ...groupReads(db), ...groupWrites(db), ...memberWrites(db), ...rowWrites(db) };
}

function groupReads(db: Kysely<Tables>) {
  const group = db.selectFrom("group_thread").where("thread_id", "=", threadId);
  const members = db.selectFrom("member").where("member.thread_id", "=", threadId);
  return {
    readGroup: statement<GroupName>()(group.selectAll()),
    /** In the order of joining. */
    readRoster: statement<GroupName>()(
      members.select(["user_id", "role", "joined_seq"]).orderBy("joined_seq").orderBy("user_id"),
    ),
    readMember: statement<GroupName & { userId: string }>()(
      members.select("role").where("user_id", "=", userId),
    ),
    listMembers: statement<GroupName & { userId: string; limit: number }>()(
      members
        .innerJoin("thread", (join) =>
          join
            .onRef("thread.thread_id", "=", "member.thread_id")
            .onRef("thread.owner_id", "=", "member.user_id"),
        )
        .select(["user_id", "role", "member.joined_seq", "earlier_spans"])
        .where("user_id", ">", userId)
        .orderBy("user_id")
        .limit(parameter<number>("limit")),
    ),
    groupsOf: statement<{ userId: string }>()(
      db.selectFrom("member").select("thread_id").where("user_id", "=", userId),
    ),
    shareGroup: statement<{ userId: string; otherUserId: string }>()(
      db
        .selectFrom("member as mine")
        .innerJoin("member as theirs", "theirs.thread_id", "mine.thread_id")
        .select("mine.thread_id")
        .where("mine.user_id", "=", userId)
        .where("theirs.user_id", "=", parameter<string>("otherUserId"))
        .limit(1),
    ),
    readChange: statement<GroupName & { sender: string; requestId: Uint8Array }>()(
      db
        .selectFrom("group_change")
        .select("seq")
        .where("thread_id", "=", threadId)
        .where("sender", "=", parameter<string>("sender"))
        .where("request_id", "=", parameter<Uint8Array>("requestId")),
    ),
    /** `lit`, because the index is one of these rows alone. */
    countLarge: statement<{ ownerId: string }>()(
      db
        .selectFrom("thread")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("owner_id", "=", parameter<string>("ownerId"))
        .where(({ eb, lit }) => eb("is_large", "=", lit(1)))
        .where(({ eb, lit }) => eb("has_left", "=", lit(0))),
    ),
  };
}

function groupWrites(db: Kysely<Tables>) {
  const values = {
    name: parameter<string>("name"),
    applied_seq: seq,
    member_count: parameter<number>("memberCount"),
    is_large: parameter<number>("isLarge"),
  };
  return {
    /** Conditions in the statements, as other programs project too: a late entry changes nothing. */
    insertGroup: statement<GroupValues & { createdAtMs: number }>()(
      db
        .insertInto("group_thread")
        .values({ ...values, thread_id: threadId, created_at_ms: parameter<number>("createdAtMs") })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    updateGroup: statement<GroupValues & { previousSeq: number }>()(
      db
        .updateTable("group_thread")
        .set(values)
        .where("thread_id", "=", threadId)
        .where("applied_seq", "=", parameter<number>("previousSeq")),
    ),
    insertChange: statement<GroupName & { sender: string; requestId: Uint8Array; seq: number }>()(
      db
        .insertInto("group_change")
        .values({
          thread_id: threadId,
          sender: parameter<string>("sender"),
          request_id: parameter<Uint8Array>("requestId"),
          seq,
        })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    noteActivity: statement<GroupName & { headBucket: number }>()(
      db
        .insertInto("activity")
        .values({
          thread_id: threadId,
          updated_at_ms: NOW_MS,
          head_bucket: parameter<number>("headBucket"),
        })
        .onConflict((conflict) =>
          conflict.column("thread_id").doUpdateSet({
            updated_at_ms: higher("activity.updated_at_ms", NOW_MS),
            head_bucket: higher("activity.head_bucket", parameter<number>("headBucket")),
          }),
        ),
    ),
  };
}

function memberWrites(db: Kysely<Tables>) {
  const role = parameter<Role>("role");
  const coming = {
    role,
    joined_seq: seq,
    has_written: parameter<number>("hasWritten"),
    added_by: parameter<string>("addedBy"),
  };
  return {
    setMember: statement<MemberValues & { seq: number; hasWritten: number; addedBy: string }>()(
      db
        .insertInto("member")
        .values({ thread_id: threadId, user_id: userId, ...coming })
        .onConflict((conflict) => conflict.columns(["thread_id", "user_id"]).doUpdateSet(coming)),
    ),
    setRole: statement<MemberValues>()(
      db.updateTable("member").set({ role }).where("thread_id", "=", threadId).where("user_id", "=", userId),
    ),
    deleteMember: statement<GroupName & { userId: string }>()(
      db.deleteFrom("member").where("thread_id", "=", threadId).where("user_id", "=", userId),
    ),
  };
}

function rowWrites(db: Kysely<Tables>) {
  const version = parameter<number>("version");
  const isLarge = parameter<number>("isLarge");
  const ordinal = parameter<number>("ordinal");
  const headBucket = parameter<number>("headBucket");
  const ownerId = parameter<string>("ownerId");
  const row = db.updateTable("thread").where("owner_id", "=", ownerId).where("thread_id", "=", threadId);
  const touched = {
    version,
    updated_at_ms: higher("updated_at_ms", NOW_MS),
    head_bucket: higher("head_bucket", headBucket),
    active_until_ms: ACTIVE_UNTIL_MS,
  };
  return {
    /** A newcomer's row. The read position is the joining entry. */
    insertRow: statement<RowTouch & { seq: number; ordinal: number; isLarge: number; createdAtMs: number }>()(
      db.insertInto("thread").values({
        owner_id: ownerId,
        thread_id: threadId,
        kind: "group",
        created_at_ms: parameter<number>("createdAtMs"),
        updated_at_ms: NOW_MS,
        read_seq: seq,
        read_ordinal: ordinal,
        head_bucket: headBucket,
        version,
        active_until_ms: ACTIVE_UNTIL_MS,
        joined_seq: seq,
        is_large: isLarge,
      }),
    ),
    /** The row of one who was a member before: that span is kept. */
    rejoinRow: statement<RowTouch & { seq: number; ordinal: number; isLarge: number }>()(
      row.set({
        ...touched,
        earlier_spans: sql<string>`earlier_spans || joined_seq || '-' || left_seq || ' '`,
        has_left: 0,
        left_seq: null,
        left_ordinal: null,
        left_name: null,
        left_member_count: null,
        joined_seq: seq,
        read_ordinal: sql<number>`case when read_seq < ${seq} then ${ordinal} else read_ordinal end`,
        read_seq: higher("read_seq", seq),
        is_large: isLarge,
      }),
    ),
    leaveRow: statement<RowTouch & { seq: number; ordinal: number; name: string; memberCount: number }>()(
      row.set({
        ...touched,
        has_left: 1,
        left_seq: seq,
        left_ordinal: ordinal,
        left_name: parameter<string>("name"),
        left_member_count: parameter<number>("memberCount"),
      }),
    ),
    /** A member's row, of which only what the group is to it has changed. */
    changeRow: statement<RowName & { version: number; isLarge: number }>()(
      row.set({ version, is_large: isLarge }),
    ),
  };
}
