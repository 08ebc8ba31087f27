import type { Kysely } from "kysely";
import { blockStatements } from "./block-statements.ts";
import { deviceStatements } from "./device-statements.ts";
import { groupStatements } from "./group-statements.ts";
import { profileStatements } from "./profile-statements.ts";
import { sightStatements } from "./sight-statements.ts";
import type { Tables } from "./tables.ts";
import { threadStatements } from "./thread-statements.ts";
import { visibilityStatements } from "./visibility-statements.ts";

/** All statements that the dialects share, compiled for that of `db`: once, not for each store. */
export function storeStatements(db: Kysely<Tables>) {
  return {
    threads: threadStatements(db),
    groups: groupStatements(db),
    blocks: blockStatements(db),
    devices: deviceStatements(db),
    visibility: visibilityStatements(db),
    profiles: profileStatements(db),
    sights: sightStatements(db),
  };
}
