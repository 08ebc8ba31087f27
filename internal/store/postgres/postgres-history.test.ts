import assert from "node:assert/strict";
import { Client } from "pg";
import { systemClock } from "../../base/clock.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { freshDatabase } from "../../testing/postgres/fresh-database.ts";
import {
  type OwnPostgres,
  ownPostgres,
  type PostgresServer,
} from "../../testing/postgres/postgres-server.ts";
import { caughtUp, cutOff, standbyOf } from "../../testing/postgres/standby.ts";
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

async function start(): Promise<OwnPostgres> {
  const server = await ownPostgres();
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
    ends.push(() => standby.stop());
    const there = await connect(standby);
    const here = await connect(primary);
    await store.touch(TOUCH);
    await caughtUp(here, there);
    const early = await store.sync("ann", undefined, 0, 10);
    await assert.rejects(open(standby.database), /the thread store cannot serve/); // Programs use the primary alone.

    await cutOff(there);
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
