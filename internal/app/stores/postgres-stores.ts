import { PostgresDatabase } from "../../store/postgres/postgres-database.ts";
import { BackupError } from "../care/backup.ts";
import { refuseEmbedded } from "../folder/data-folder.ts";
import { joinHistory } from "../folder/history.ts";
import type { Stores, StoresInit } from "./stores.ts";

/**
 * Opens the stores in the Postgres that the settings name. The data folder keeps keys, and a copy of the deployment's id,
 * so that a wrong database is noticed. Rejects with DatabaseError or DataFolderError.
 */
export async function openPostgresStores(init: StoresInit): Promise<Stores> {
  const { config, folder, clock, watch, stack, stopped } = init;
  const { databaseUrl = "", databaseWaitMs, dataDir } = config;
  refuseEmbedded(folder);
  const database = await PostgresDatabase.open({
    database: databaseUrl,
    waitMs: databaseWaitMs,
    hold: "alone",
    clock,
    watch: watch("postgres"),
    ...(stopped ? { signal: stopped } : {}),
  });
  stack.add("database", () => database.close());
  const history = await joinHistory(folder, database);
  return {
    logs: database.messages,
    rows: database.rows,
    history,
    engine: database.engine,
    notReady: () => database.trouble,
    backUp: async () => {
      const how = "copy the database with Postgres's own tools, and keys and deployment-id as files";
      throw new BackupError(`rows and messages of ${dataDir} are in Postgres: ${how} (docs/postgres.md)`);
    },
    over: database.over,
  };
}
