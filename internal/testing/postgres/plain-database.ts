import { randomBytes } from "node:crypto";
import { Client } from "pg";
import type { OwnPostgres } from "./postgres-server.ts";

/** A database, and a role without any right but that it owns it. */
export interface PlainDatabase {
  readonly name: string;
  readonly role: string;
  /** As the role, over TCP, with its password, "s3cret". */
  readonly url: string;
  /** As the server's own role. */
  client: Client;
  /** Another of these. */
  connect(): Promise<Client>;
}

/** Makes a role and a database as docs/postgres.md says. */
export async function plainDatabase(server: OwnPostgres, encoding = "UTF8"): Promise<PlainDatabase> {
  const name = `plain_${randomBytes(6).toString("hex")}`;
  const connect = async (database: string) => {
    const client = new Client({ ...server.database, database });
    client.on("error", () => {}); // Tests stop the server.
    await client.connect();
    return client;
  };
  const first = await connect("postgres");
  await first.query(`CREATE ROLE ${name} LOGIN PASSWORD 's3cret'`);
  await first.query(`CREATE DATABASE ${name} OWNER ${name} ENCODING '${encoding}' TEMPLATE template0`);
  await first.end();
  const { host, port } = server.tcp;
  const url = `postgres://${name}:s3cret@${host}:${port}/${name}`;
  return { name, role: name, url, client: await connect(name), connect: () => connect(name) };
}
