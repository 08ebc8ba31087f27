import { type Kysely, sql } from "kysely";
import { ACTIVE_MS } from "../thread-store.ts";
import { higher, NOW_MS, parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";
import { viewedRows } from "./viewed-rows.ts";

type RowName = { readonly ownerId: string; readonly threadId: Uint8Array };

const ownerId = parameter<string>("ownerId");
const threadId = parameter<Uint8Array>("threadId");
const version = parameter<number>("version");

/** How long a touch that is made now counts. */
export const ACTIVE_UNTIL_MS = sql<number>`${NOW_MS} + ${sql.lit(ACTIVE_MS)}`;

/** The statements of ThreadStore, compiled for the dialect of `db`. */
export function threadStatements(db: Kysely<Tables>) {
  return { ...rowReads(db), ...rowWrites(db), ...versions(db) };
}

function versions(db: Kysely<Tables>) {
  return {
    /** Takes the owner's next version. */
    takeVersion: statement<{ ownerId: string }>()(
      db
        .insertInto("owner")
        .values({ owner_id: ownerId, version: 1 })
        .onConflict((conflict) =>
          conflict.column("owner_id").doUpdateSet({ version: sql<number>`owner.version + 1` }),
        )
        .returning("version"),
    ),
    /** The owner's highest version. */
    readVersion: statement<{ ownerId: string }>()(
      db.selectFrom("owner").select("version").where("owner_id", "=", ownerId),
    ),
  };
}

function rowWrites(db: Kysely<Tables>) {
  const row = db.updateTable("thread").where("owner_id", "=", ownerId).where("thread_id", "=", threadId);
  return {
    insertDirect: statement<RowName & { otherUserId: string; version: number }>()(
      db.insertInto("thread").values({
        owner_id: ownerId,
        thread_id: threadId,
        kind: "direct",
        other_user_id: parameter<string>("otherUserId"),
        has_written: 0,
        created_at_ms: NOW_MS,
        updated_at_ms: NOW_MS,
        version,
        active_until_ms: ACTIVE_UNTIL_MS,
      }),
    ),
    touch: statement<RowName & { version: number; headBucket: number }>()(
      row.set({
        version,
        updated_at_ms: higher("updated_at_ms", NOW_MS),
        head_bucket: higher("head_bucket", parameter<number>("headBucket")),
        active_until_ms: ACTIVE_UNTIL_MS,
      }),
    ),
    /** Only within the transaction of what the row shows and has in another table. */
    setVersion: statement<RowName & { version: number }>()(row.set({ version })),
    setMuted: statement<RowName & { version: number; isMuted: number }>()(
      row.set({ version, is_muted: parameter<number>("isMuted") }),
    ),
    setRead: statement<RowName & { version: number; readSeq: number; readOrdinal: number }>()(
      row.set({
        version,
        read_seq: parameter<number>("readSeq"),
        read_ordinal: parameter<number>("readOrdinal"),
      }),
    ),
  };
}

function rowReads(db: Kysely<Tables>) {
  const owned = viewedRows(db).where("thread.owner_id", "=", ownerId);
  const limit = parameter<number>("limit");
  return {
    readRow: statement<RowName>()(owned.where("thread.thread_id", "=", threadId)),
    hasRow: statement<RowName>()(
      db
        .selectFrom("thread")
        .select("version")
        .where("owner_id", "=", ownerId)
        .where("thread_id", "=", threadId),
    ),
    /** By recency, below a place in that order, without the large groups of `allLarge`. */
    listRows: statement<{ ownerId: string; updatedAtMs: number; threadId: Uint8Array; limit: number }>()(
      owned
        .where(({ eb, or }) => or([eb("thread.is_large", "=", 0), eb("thread.has_left", "=", 1)]))
        .where(({ eb, refTuple, tuple }) =>
          eb(
            refTuple("thread.updated_at_ms", "thread.thread_id"),
            "<",
            tuple(parameter<number>("updatedAtMs"), threadId),
          ),
        )
        .orderBy("thread.updated_at_ms", "desc")
        .orderBy("thread.thread_id", "desc")
        .limit(limit),
    ),
    /**
     * The large groups that the owner is a member of. `lit`, because their index has no other rows; a subquery,
     * because SQLite takes that index only for what it covers.
     */
    allLarge: statement<{ ownerId: string }>()(
      owned.where("thread.thread_id", "in", ({ selectFrom }) =>
        selectFrom("thread as large")
          .select("large.thread_id")
          .where("large.owner_id", "=", ownerId)
          .where(({ eb, lit }) => eb("large.is_large", "=", lit(1)))
          .where(({ eb, lit }) => eb("large.has_left", "=", lit(0))),
      ),
    ),
    syncRows: syncRows(db),
  };
}

/**
 * A page of Sync. Two disjoint halves, so that each is a range of an index and what is neither new nor active is
 * never looked at: rows newer than the cursor, in the order of their index; and older ones that were active. The
 * plus sign keeps the second half off the index of versions, where it would read all that is old.
 */
function syncRows(db: Kysely<Tables>) {
  const owned = viewedRows(db).where("thread.owner_id", "=", ownerId);
  const afterVersion = parameter<number>("afterVersion");
  const unindexedVersion = sql<number>`+${sql.ref("thread.version")}`;
  return statement<{
    ownerId: string;
    cursorVersion: number;
    cursorAtMs: number;
    afterVersion: number;
    limit: number;
  }>()(
    owned
      .where("thread.version", ">", afterVersion)
      .where("thread.version", ">", parameter<number>("cursorVersion"))
      .unionAll(
        owned
          .where("thread.active_until_ms", ">=", parameter<number>("cursorAtMs"))
          .where(unindexedVersion, ">", afterVersion)
          .where(unindexedVersion, "<=", parameter<number>("cursorVersion")),
      )
      .orderBy("version")
      .limit(parameter<number>("limit")),
  );
}
