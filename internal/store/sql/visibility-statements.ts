import type { Kysely } from "kysely";
import type { Visibility } from "../thread-store.ts";
import { parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** The statements of VisibilityStore, compiled for the dialect of `db`. */
export function visibilityStatements(db: Kysely<Tables>) {
  const ownerId = parameter<string>("ownerId");
  const visibility = parameter<Visibility>("visibility");
  return {
    readVisibility: statement<{ ownerId: string }>()(
      db.selectFrom("visibility").select("visibility").where("owner_id", "=", ownerId),
    ),
    setVisibility: statement<{ ownerId: string; visibility: Visibility }>()(
      db
        .insertInto("visibility")
        .values({ owner_id: ownerId, visibility })
        .onConflict((conflict) => conflict.column("owner_id").doUpdateSet({ visibility })),
    ),
  };
}
