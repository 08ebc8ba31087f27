import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { systemClock } from "../../base/clock.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { freshDatabase } from "../../testing/postgres/fresh-database.ts";
import {
  type OwnPostgres,
  ownPostgres,
  type PostgresServer,
} from "../../testing/postgres/postgres-server.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { PostgresThreadStore } from "./postgres-thread-store.ts";

const THREAD = directThreadId("ann", "bob");
const TOUCH = [{ threadId: THREAD, ownerIds: ["ann"], headBucket: 0 }];

/** What ends after the test, the last first: an open handle would keep the run from ending. */
let ends: (() => Promise<unknown>)[];

function open(database: PostgresServer["database"]): Promise<PostgresThreadStore> {
  const pool = new PostgresPool({ name: "thread", database, callMs: 60_000 });
  ends.push(() => pool.close());
  return PostgresThreadStore.open(pool, systemClock);
}

async function connect({ database }: PostgresServer): Promise<Client> {
  const client = new Client(database);
  client.on("error", () => {}); // The server is stopped while it is open.
  await client.connect();
  ends.push(() => client.end());
  return client;
}

async function start(fill?: (data: string) => Promise<void>): Promise<OwnPostgres> {
  const server = await ownPostgres(fill);
  ends.push(() => server.stop());
  return server;
}

describe("The history of rows on Postgres", () => {
  beforeEach(() => {
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.toReversed()) await end();
  });

  it("is another one on a promoted standby that lost commits, whose versions mean something else", async () => {
    const primary = await start();
    const store = await open(primary.database);
    await store.createDirect(THREAD, ["ann", "bob"]);
    const standby = await standbyOf(primary);
    const there = await connect(standby);
    const here = await connect(primary);
    await store.touch(TOUCH);
    await caughtUp(here, there);
    const early = await store.sync("ann", undefined, 0, 10);
    await assert.rejects(open(standby.database), /the thread store cannot serve/); // Programs use the primary alone.

    await there.query("ALTER SYSTEM SET primary_conninfo = ''");
    await there.query("SELECT pg_reload_conf()");
    while ((await count(there, "pg_stat_wal_receiver")) > 0);
    await store.touch(TOUCH); // The standby never gets it.
    const late = await store.sync("ann", undefined, 0, 10);
    assert.deepEqual([await store.knows(early.state), await store.knows(late.state)], [true, true]);
    await primary.stop();

    await there.query("SELECT pg_promote()");
    const promoted = await open(standby.database);
    await promoted.setMuted("ann", THREAD, true);
    const anew = await promoted.sync("ann", undefined, 0, 10);
    assert.equal(anew.version, late.version, "the version that the client holds means another change here");
    assert.deepEqual([await promoted.knows(early.state), await promoted.knows(late.state)], [false, false]);
    assert.equal(await promoted.knows(anew.state), true);
  });

  it("is another one when an administrator says that a copy was put back", async () => {
    const { database, client } = await freshDatabase();
    ends.push(() => client.end());
    const store = await open(database);
    const { state } = await store.sync("ann", undefined, 0, 10);
    assert.equal(await store.knows(state), true);
    await client.query("UPDATE meta SET value = value + 1 WHERE name = 'history'");
    assert.equal(await store.knows(state), false);
  });
});

/** A standby that follows the primary by streaming. */
async function standbyOf(primary: OwnPostgres): Promise<OwnPostgres> {
  const client = await connect(primary);
  await client.query("SELECT pg_backup_start('test', true)");
  return start(async (data) => {
    await cp(primary.data, data, { recursive: true, verbatimSymlinks: true });
    const ended = await client.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop(false)");
    await rm(join(data, "postmaster.pid"), { force: true });
    await writeFile(join(data, "backup_label"), ended.rows[0]?.labelfile ?? "");
    await writeFile(join(data, "standby.signal"), "");
    const { host, user } = primary.database;
    await writeFile(join(data, "postgresql.auto.conf"), `primary_conninfo = 'host=${host} user=${user}'\n`);
  });
}

async function caughtUp(here: Client, there: Client): Promise<void> {
  const { rows } = await here.query<{ at: string }>("SELECT pg_current_wal_flush_lsn() AS at");
  const isThere = "SELECT FROM pg_last_wal_replay_lsn() AS replayed WHERE replayed >= $1::pg_lsn";
  while ((await there.query(isThere, [rows[0]?.at])).rowCount === 0);
}

async function count(client: Client, view: string): Promise<number> {
  return (await client.query(`SELECT FROM ${view}`)).rowCount ?? 0;
}
