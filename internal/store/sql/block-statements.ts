import type { Kysely } from "kysely";
import { parameter, statement } from "./statement.ts";
import type { Tables } from "./tables.ts";

type BlockName = { readonly ownerId: string; readonly otherUserId: string };

/** The statements of BlockStore, compiled for the dialect of `db`. */
export function blockStatements(db: Kysely<Tables>) {
  const ownerId = parameter<string>("ownerId");
  const otherUserId = parameter<string>("otherUserId");
  const blocks = db.selectFrom("block").selectAll();
  return {
    insertBlock: statement<BlockName>()(
      db
        .insertInto("block")
        .values({ owner_id: ownerId, other_user_id: otherUserId })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    deleteBlock: statement<BlockName>()(
      db.deleteFrom("block").where("owner_id", "=", ownerId).where("other_user_id", "=", otherUserId),
    ),
    /** In both directions. */
    readBlocks: statement<BlockName>()(
      blocks
        .where("owner_id", "=", ownerId)
        .where("other_user_id", "=", otherUserId)
        .unionAll(blocks.where("owner_id", "=", otherUserId).where("other_user_id", "=", ownerId)),
    ),
    listBlocked: statement<BlockName & { limit: number }>()(
      db
        .selectFrom("block")
        .select("other_user_id")
        .where("owner_id", "=", ownerId)
        .where("other_user_id", ">", otherUserId)
        .orderBy("other_user_id")
        .limit(parameter<number>("limit")),
    ),
  };
}
