import { sql } from "kysely";
import type { RowsHistory } from "../sql/sql-thread-store.ts";
import { NOW_MS, parameter, statement } from "../sql/statement.ts";
import { get, type Work } from "../sql/work.ts";
import type { HistoryMark, SyncPage } from "../thread-store.ts";
import { postgresCompiler as db } from "./compiler.ts";

/** How much the database has written to its log of changes, in bytes: what is read now is within that. */
const WRITTEN = sql<number>`(pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint`;
const ERA = sql<number>`store_era()`;

const readMoment = statement<{ ownerId: string }>()(
  db.selectNoFrom(({ selectFrom }) => [
    NOW_MS.as("now_ms"),
    ERA.as("era"),
    WRITTEN.as("mark"),
    selectFrom("owner").select("version").where("owner_id", "=", parameter<string>("ownerId")).as("version"),
  ]),
);

const readState = statement<Record<string, never>>()(db.selectNoFrom([ERA.as("era"), WRITTEN.as("mark")]));

/**
 * The identity of the rows' history on Postgres (docs/design.md, section 6). The era is made of the system identifier, the
 * timeline and our own number: a promoted standby may lack commits, and has a timeline of its own. The mark is the
 * position in the log of changes: a copy that was put back without a new timeline is known by it until it has written as
 * much again, which is why an administrator who puts one back raises the number.
 */
export const postgresHistory: RowsHistory = {
  *moment(ownerId: string): Work<Pick<SyncPage, "state" | "nowMs" | "version">> {
    const moment = yield* get(readMoment, { ownerId });
    if (!moment) throw new Error("the database did not say what moment it is");
    const { era, mark, now_ms: nowMs, version } = moment;
    return { state: { era, mark }, nowMs, version: version ?? 0 };
  },

  *knows({ era, mark }: HistoryMark): Work<boolean> {
    const state = yield* get(readState, {});
    return state !== undefined && era === state.era && mark <= state.mark;
  },
};
