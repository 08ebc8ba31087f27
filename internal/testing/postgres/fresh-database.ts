import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { postgresServer } from "./postgres-server.ts";

/** A database of its own on the run's server, and a connection to it; for tests. */
export async function freshDatabase() {
  const server = await postgresServer();
  const name = `test_${randomBytes(6).toString("hex")}`;
  const first = new Client(server.database);
  await first.connect();
  await first.query(`CREATE DATABASE ${name}`);
  await first.end();
  const database = { ...server.database, database: name };
  const client = new Client(database);
  await client.connect();
  return { database, client };
}
