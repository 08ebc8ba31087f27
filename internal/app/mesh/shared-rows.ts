import { randomBytes, randomInt } from "node:crypto";
import type { SettingValues } from "../../base/env.ts";
import { type History, MAX_LOG_EPOCH } from "../../base/history.ts";
import { hex } from "../../base/ids.ts";
import { DatabaseError } from "../../store/database-error.ts";
import { PostgresDatabase } from "../../store/postgres/postgres-database.ts";
import type { SqlThreadStore } from "../../store/sql/sql-thread-store.ts";
import type { StoreWatch } from "../../store/store-watch.ts";
import { storeWatches } from "../operators/store-watches.ts";
import type { DATABASE_SETTINGS } from "../settings/groups.ts";
import type { Program } from "./program.ts";

/** The rows that all programs of a mesh share, and which data that is. */
export interface SharedRows {
  readonly rows: SqlThreadStore;
  readonly database: PostgresDatabase;
  readonly history: History;
  /** What push servers, which have no rows, are told of them by the registry. */
  readonly details: Readonly<Record<string, string>>;
  /** Who tells log and metrics of a store. */
  readonly watch: (store: string) => StoreWatch;
  /** Why the database does not serve, in a sentence. */
  trouble(): string | undefined;
  readonly over: Promise<string>;
}

/**
 * Opens the Postgres that holds the rows of the mesh, as one of several programs on it. The deployment's id and the log
 * epoch are kept there: the first program makes them, and `heddle admin restored` makes another epoch. Rejects with
 * DatabaseError.
 */
export async function openSharedRows(
  program: Program,
  values: SettingValues<typeof DATABASE_SETTINGS>,
  connections: number,
): Promise<SharedRows> {
  const { HEDDLE_DATABASE_URL: url, HEDDLE_DATABASE_WAIT_S: waitS } = values;
  if (url === undefined) throw new DatabaseError("HEDDLE_DATABASE_URL: name the mesh's Postgres");
  const { clock, log, metrics, stack, stopped } = program;
  const watch = storeWatches(log, metrics);
  const database = await PostgresDatabase.open({
    database: url,
    waitMs: waitS * 1_000,
    hold: "together",
    maxConnections: connections,
    clock,
    watch: watch("postgres"),
    signal: stopped,
  });
  stack.add("database", () => database.close());
  const deploymentId = await database.deployment(randomBytes(16));
  if (!deploymentId) throw new Error("the database did not keep the deployment's id");
  const logEpoch = await database.kept("log_epoch", randomInt(1, MAX_LOG_EPOCH));
  const history = { deploymentId, logEpoch };
  return {
    watch,
    rows: database.rows,
    database,
    history,
    details: { deployment: hex(deploymentId), log_epoch: `${logEpoch}`, rows_era: `${database.era}` },
    trouble: () => database.trouble,
    over: database.over,
  };
}
