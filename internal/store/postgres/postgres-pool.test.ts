import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Client } from "pg";
import { type PostgresServer, postgresServer } from "../../testing/postgres/postgres-server.ts";
import { PostgresPool, type PostgresPoolInit } from "./postgres-pool.ts";

const NOTHING = { name: "nothing", text: "SELECT 1" };
const PROCESS = { name: "process", text: "SELECT pg_backend_pid() AS pid" };
/** Waits for `holder`. */
const LOCKED = { name: "locked", text: "SELECT pg_advisory_xact_lock(7)" };
/** Sends a row of 1 MB, then waits for `holder`. */
const LONG = {
  name: "long",
  text: "SELECT repeat('x', 1000000) UNION ALL SELECT pg_advisory_xact_lock(7)::text",
};

describe("PostgresPool", () => {
  let server: PostgresServer;
  let holder: Client;
  let pool: PostgresPool;
  before(async () => {
    server = await postgresServer();
  });
  beforeEach(async () => {
    holder = new Client(server.database);
    await holder.connect();
    await holder.query("SELECT pg_advisory_lock(7)");
  });
  afterEach(async () => {
    await holder.end();
    await pool.close();
  });
  const open = (init: Partial<PostgresPoolInit>) => {
    pool = new PostgresPool({ name: "thread", database: server.database, ...init });
    return pool;
  };

  it("ends a call by its deadline, the wait for a connection included", async () => {
    open({ maxConnections: 1, callMs: 4_000 });
    const startedMs = performance.now();
    const calls = [1, 2].map(() => pool.rows(LOCKED, [], 0));
    const outcomes = await Promise.allSettled(calls);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < 6_500, `${tookMs}`);
  });

  it("refuses calls beyond those that may wait for a connection", async () => {
    open({ maxConnections: 1, maxWaiting: 2, callMs: 30_000 });
    const waiting = [1, 2, 3].map(() => pool.rows(LOCKED, [], 0));
    await assert.rejects(pool.rows(NOTHING, [], 0), /queue is full/);
    await holder.query("SELECT pg_advisory_unlock(7)");
    await Promise.all(waiting);
    assert.equal((await pool.rows(NOTHING, [], 0)).length, 1);
  });

  it("counts what has come of rows to the bytes that may be held", async () => {
    open({ maxQueuedBytes: 900_000, callMs: 30_000 });
    const long = pool.rows(LONG, [], 0);
    let refused: unknown;
    while (refused === undefined)
      refused = await pool.rows(NOTHING, [], 0).then(
        () => undefined,
        (error) => error,
      );
    assert.match(String(refused), /queue is full/);
    await holder.query("SELECT pg_advisory_unlock(7)");
    assert.equal((await long).length, 2);
    assert.equal((await pool.rows(NOTHING, [], 0)).length, 1);
  });

  it("fails a transaction whose connection breaks between two statements, and serves again", async () => {
    open({});
    // pg-pool listens to connections that are idle only.
    const broken = new Promise<void>((resolve) => {
      Client.prototype.emit = function (this: Client, name: string, ...values: unknown[]) {
        if (name === "error") resolve();
        return EventEmitter.prototype.emit.call(this, name, ...values);
      } as Client["emit"];
    });
    const torn = pool.transaction("write", 0, async (run) => {
      const { rows } = await run<{ pid: number }>(PROCESS, []);
      await holder.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
      await broken;
      await run(NOTHING, []);
    });
    try {
      await assert.rejects(torn, { reasonName: "STORE_UNAVAILABLE" });
    } finally {
      Reflect.deleteProperty(Client.prototype, "emit");
    }
    assert.equal((await pool.rows(NOTHING, [], 0)).length, 1);
  });

  it("waits for migrations of another program longer than for a call", async () => {
    open({ callMs: 2_000 });
    await holder.query("BEGIN; SELECT pg_advisory_xact_lock(hashtext('heddle-migrations'))");
    const migrated = pool.migrate("waits", ["CREATE TABLE waited ()"]);
    const WAITING = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while ((await holder.query(WAITING)).rowCount === 0);
    await assert.rejects(pool.rows(LOCKED, [], 0), "a call that began after it has waited as long as it may");
    await holder.query("COMMIT");
    await migrated;
    assert.equal((await pool.rows({ name: "waited", text: "SELECT 'waited'::regclass" }, [], 0)).length, 1);
  });
});
