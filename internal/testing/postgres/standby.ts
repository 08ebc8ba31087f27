import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { type OwnPostgres, ownPostgres } from "./postgres-server.ts";

/** Starts a standby that follows the primary by streaming, and does not hold it up. */
export async function standbyOf(primary: OwnPostgres): Promise<OwnPostgres> {
  const client = new Client(primary.database);
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('test', true)");
    return await ownPostgres(async (data) => {
      await cp(primary.data, data, { recursive: true, verbatimSymlinks: true });
      const ended = await client.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop(false)");
      await rm(join(data, "postmaster.pid"), { force: true });
      await writeFile(join(data, "backup_label"), ended.rows[0]?.labelfile ?? "");
      await writeFile(join(data, "standby.signal"), "");
      const { host, port, user } = primary.database;
      const follows = `primary_conninfo = 'host=${host} port=${port} user=${user}'\n`;
      await writeFile(join(data, "postgresql.auto.conf"), follows);
    });
  } finally {
    await client.end();
  }
}

/** Resolves when the standby has what the primary has. */
export async function caughtUp(primary: Client, standby: Client): Promise<void> {
  const { rows } = await primary.query<{ at: string }>("SELECT pg_current_wal_flush_lsn() AS at");
  const isThere = "SELECT FROM pg_last_wal_replay_lsn() AS replayed WHERE replayed >= $1::pg_lsn";
  while ((await standby.query(isThere, [rows[0]?.at])).rowCount === 0);
}

/** Resolves when the standby gets nothing more of the primary. */
export async function cutOff(standby: Client): Promise<void> {
  await standby.query("ALTER SYSTEM SET primary_conninfo = ''");
  await standby.query("SELECT pg_reload_conf()");
  while (((await standby.query("SELECT FROM pg_stat_wal_receiver")).rowCount ?? 0) > 0);
}
