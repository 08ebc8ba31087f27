import type { Kysely } from "kysely";
import { parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** Groups of which a caller is told at a time that they are unknown. */
const UNKNOWN_AT_ONCE = 16;

type RowName = { readonly ownerId: string; readonly threadId: Uint8Array };
type Pair = { readonly viewer: string; readonly user: string };

const threadId = parameter<Uint8Array>("threadId");
const ownerId = parameter<string>("ownerId");

/** The statements of SightStore, compiled for the dialect of `db`. */
export function sightStatements(db: Kysely<Tables>) {
  const row = db.updateTable("thread").where("owner_id", "=", ownerId).where("thread_id", "=", threadId);
  const member = db.updateTable("member").where("thread_id", "=", threadId).where("user_id", "=", ownerId);
  const hasWritten = parameter<number>("hasWritten");
  return {
    readRowWriter: statement<RowName>()(
      db
        .selectFrom("thread")
        .select("has_written")
        .where("owner_id", "=", ownerId)
        .where("thread_id", "=", threadId),
    ),
    readMemberWriter: statement<RowName>()(
      db
        .selectFrom("member")
        .select("has_written")
        .where("thread_id", "=", threadId)
        .where("user_id", "=", ownerId),
    ),
    /** Those that something is not known of, and with which entry they came. */
    unknownMembers: statement<{ threadId: Uint8Array }>()(
      db
        .selectFrom("member")
        .select(["user_id", "has_written", "added_by", "joined_seq"])
        .where("thread_id", "=", threadId)
        .where(({ eb, or }) => or([eb("has_written", "is", null), eb("added_by", "is", null)])),
    ),
    /** Conditions in the statements, as others may write between a read and them. */
    noteRowWriter: statement<RowName>()(
      row
        .set({ has_written: 1 })
        .where(({ eb, or }) => or([eb("has_written", "is", null), eb("has_written", "=", 0)])),
    ),
    noteMemberWriter: statement<RowName & { seq: number }>()(
      member
        .set({ has_written: 1 })
        .where("joined_seq", "<=", parameter<number>("seq"))
        .where(({ eb, or }) => or([eb("has_written", "is", null), eb("has_written", "=", 0)])),
    ),
    learnRowWriter: statement<RowName & { hasWritten: number }>()(
      row.set({ has_written: hasWritten }).where("has_written", "is", null),
    ),
    /** Under the group's lock, so that the member is the one that was read. */
    setMemberWriter: statement<RowName & { hasWritten: number }>()(
      member.set({ has_written: hasWritten }).where("has_written", "is", null),
    ),
    setAddedBy: statement<RowName & { addedBy: string }>()(
      member.set({ added_by: parameter<string>("addedBy") }),
    ),
    ...sharedGroups(db),
  };
}

/** The groups that both are members of, in which the user is shown to the viewer, or may be. */
function sharedGroups(db: Kysely<Tables>) {
  const shared = db
    .selectFrom("member as mine")
    .innerJoin("member as theirs", "theirs.thread_id", "mine.thread_id")
    .select("mine.thread_id")
    .where("mine.user_id", "=", parameter<string>("viewer"))
    .where("theirs.user_id", "=", parameter<string>("user"));
  return {
    shownInGroup: statement<Pair>()(
      shared
        .where(({ eb, or }) =>
          or([eb("theirs.has_written", "=", 1), eb("mine.added_by", "=", parameter<string>("user"))]),
        )
        .limit(1),
    ),
    unknownGroups: statement<Pair>()(
      shared
        .where(({ eb, or }) => or([eb("theirs.has_written", "is", null), eb("mine.added_by", "is", null)]))
        .limit(UNKNOWN_AT_ONCE),
    ),
  };
}
