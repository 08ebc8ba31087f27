import type { Kysely } from "kysely";
import { parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type ProfileValues = {
  readonly userId: string;
  readonly displayName: string;
  readonly pictureUrl: string;
  readonly isOwn: number;
};

/** The statements of ProfileStore, compiled for the dialect of `db`. */
export function profileStatements(db: Kysely<Tables>) {
  const userId = parameter<string>("userId");
  const values = {
    display_name: parameter<string>("displayName"),
    picture_url: parameter<string>("pictureUrl"),
    is_own: parameter<number>("isOwn"),
  };
  return {
    readProfile: statement<{ userId: string }>()(
      db.selectFrom("profile").selectAll().where("user_id", "=", userId),
    ),
    putProfile: statement<ProfileValues>()(
      db
        .insertInto("profile")
        .values({ user_id: userId, ...values })
        .onConflict((conflict) => conflict.column("user_id").doUpdateSet(values)),
    ),
    deleteProfile: statement<{ userId: string }>()(db.deleteFrom("profile").where("user_id", "=", userId)),
  };
}
