import type { Client } from "pg";
import { DatabaseError } from "../database-error.ts";
import { connectionConfig, type DatabaseAddress } from "./connection-config.ts";
import { PostgresClient } from "./postgres-client.ts";

/** How often it is looked: one that gives out connections in turn may by chance give the same. */
const TRIES = 3;

const PREPARED = { name: "heddle-pooler", text: "SELECT pg_backend_pid() AS pid" };

/** No statement of that name, or one of another text. */
const UNPREPARED = /^(26000|42P05|08P01)$/;

/**
 * Whether a pooler gives each transaction another connection: then two clients that are both open are served by the same
 * process of the server, one after the other. Rejects with DatabaseError where it does so and does not carry prepared
 * statements along, else as pg does.
 */
export async function isPooledByTransaction(database: DatabaseAddress, place: string): Promise<boolean> {
  const config = connectionConfig(database);
  const clients = [new PostgresClient(config), new PostgresClient(config)] as const;
  const [asked, holder] = clients;
  try {
    for (const client of clients) {
      await client.connect();
    }
    for (let at = 0; at < TRIES; at++) {
      const pid = await preparedPid(asked, place);
      await holder.query("BEGIN");
      const held = await holder.query<{ pid: number }>(PREPARED.text);
      const isShared = held.rows[0]?.pid === pid || (await preparedPid(asked, place)) !== pid;
      // While that one is held, another process serves this client.
      if (isShared) await preparedPid(asked, place);
      await holder.query("ROLLBACK");
      if (isShared) return true;
    }
    return false;
  } finally {
    for (const client of clients) await client.end().catch(() => {});
  }
}

async function preparedPid(client: Client, place: string): Promise<number | undefined> {
  try {
    return (await client.query<{ pid: number }>(PREPARED)).rows[0]?.pid;
  } catch (error) {
    if (!UNPREPARED.test(String((error as { code?: unknown }).code ?? ""))) throw error;
    const how = "use PgBouncer 1.21 or later with max_prepared_statements above 0, or pool_mode = session";
    throw new DatabaseError(`the pooler at ${place} does not carry prepared statements along: ${how}`);
  }
}
