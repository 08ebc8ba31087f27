import { type Kysely, sql } from "kysely";
import { NOW_MS, parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** The statements of eras and marks, compiled for the dialect of `db`. */
export function eraStatements(db: Kysely<Tables>) {
  const mark = parameter<number>("mark");
  const era = parameter<number>("era");
  return {
    /** Within every transaction that writes. Answers with the era that is on the disk, whichever this handle began. */
    raiseMark: statement<Record<string, never>>()(
      db
        .updateTable("meta")
        .set({ value: sql<number>`value + 1` })
        .where("name", "=", "mark")
        .returning([
          "value",
          ({ selectFrom }) =>
            selectFrom("era").select("era").orderBy("number", "desc").limit(sql.lit(1)).as("era"),
        ]),
    ),
    readMark: statement<Record<string, never>>()(
      db.selectFrom("meta").select("value").where("name", "=", "mark"),
    ),
    /** The mark of the message log of which the rows took note. */
    noteLogMark: statement<{ mark: number }>()(
      db
        .insertInto("meta")
        .values({ name: "log_mark", value: mark })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: mark })),
    ),
    readLogMark: statement<Record<string, never>>()(
      db.selectFrom("meta").select("value").where("name", "=", "log_mark"),
    ),
    endEra: statement<{ mark: number }>()(
      db.updateTable("era").set({ last_mark: mark }).where("last_mark", "is", null),
    ),
    beginEra: statement<{ era: number }>()(db.insertInto("era").values({ era, last_mark: null })),
    /** Ended eras before the newest `kept`. */
    dropEras: statement<{ kept: number }>()(
      db
        .deleteFrom("era")
        .where("number", "<=", ({ selectFrom }) =>
          selectFrom("era").select(sql<number>`max(number) - ${parameter<number>("kept")}`.as("last")),
        ),
    ),
    readEra: statement<{ era: number }>()(
      db
        .selectFrom("era")
        .select([
          "last_mark",
          ({ selectFrom }) => selectFrom("meta").select("value").where("name", "=", "mark").as("mark"),
        ])
        .where("era", "=", era),
    ),
    /** What a page of Sync says of its moment, in one statement. */
    readMoment: statement<{ ownerId: string }>()(
      db.selectNoFrom(({ selectFrom }) => [
        NOW_MS.as("now_ms"),
        selectFrom("owner")
          .select("version")
          .where("owner_id", "=", parameter<string>("ownerId"))
          .as("version"),
        selectFrom("era").select("era").orderBy("number", "desc").limit(sql.lit(1)).as("era"),
        selectFrom("meta").select("value").where("name", "=", "mark").as("mark"),
      ]),
    ),
  };
}
