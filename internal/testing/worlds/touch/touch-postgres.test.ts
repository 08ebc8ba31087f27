import assert from "node:assert/strict";
import fc from "fast-check";
import type { Client } from "pg";
import { inTurn } from "../../../store/in-turn.ts";
import { PostgresPool } from "../../../store/postgres/postgres-pool.ts";
import { PostgresThreadStore } from "../../../store/postgres/postgres-thread-store.ts";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import { freshDatabase } from "../../postgres/fresh-database.ts";
import { HistoryCalls } from "../history/history-calls.ts";
import { playTouches, type TouchStep, touchSteps } from "./touch-steps.ts";
import { type TouchRows, TouchWorld } from "./touch-world.ts";

/** Each takes about 0.2 s: every call goes to the database. */
const RUNS = 30;

/** The time is that of the world that plays. */
const CLOCK = `
  CREATE TABLE world_clock (ms bigint NOT NULL);
  INSERT INTO world_clock VALUES (0);
  CREATE OR REPLACE FUNCTION store_now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT ms FROM world_clock'`;

/** A touch that is in force for nobody: an entry after it, and after a sync that saw it, is in no later one. */
const NOT_IN_FORCE = `
  CREATE OR REPLACE FUNCTION touch_rows(owner_ids text[], thread_ids bytea[], head_buckets bigint[])
  RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM lock_owners(owner_ids);
    UPDATE owner SET version = version + 1 WHERE owner_id = ANY (owner_ids);
    UPDATE thread SET version = owner.version FROM owner
    WHERE owner.owner_id = thread.owner_id AND thread.owner_id = ANY (owner_ids) AND thread.thread_id = ANY (thread_ids);
  END $$`;

describe("Touch and sync on Postgres under interleavings (docs/design.md, section 6)", function () {
  this.timeout(180_000);

  let client: Client;
  let pools: readonly PostgresPool[];
  let stores: readonly PostgresThreadStore[];
  const clock = { nowMs: () => 0, monotonicMs: () => performance.now(), after: () => () => {} };
  before(async () => {
    const fresh = await freshDatabase();
    client = fresh.client;
    pools = [0, 1].map(() => new PostgresPool({ name: "thread", database: fresh.database, callMs: 60_000 }));
    stores = await Promise.all(pools.map((pool) => PostgresThreadStore.open(pool, clock)));
    await client.query(CLOCK);
  });
  after(async () => {
    await Promise.all(pools.map((pool) => pool.close()));
    await client.end();
  });

  /** Plays a history on tables that have no other rows. */
  async function played(history: readonly TouchStep[]): Promise<TouchWorld> {
    await client.query("DELETE FROM thread; DELETE FROM owner");
    const calls = new HistoryCalls();
    const store = (of: TouchWorld): TouchRows => {
      const setClock = () => client.query("UPDATE world_clock SET ms = $1", [of.clock.nowMs()]);
      const rows = calls.noting(inTurn(stores), setClock);
      return Object.assign(rows, { close: async () => {} });
    };
    const world = new TouchWorld({ store, settle: () => calls.settle() });
    await playTouches(world, history);
    return world;
  }

  it(`show every acknowledged entry and every change of a row, ${RUNS} histories`, async () => {
    const seen = { acknowledged: 0, syncs: 0, late: 0 };
    const property = fc.asyncProperty(touchSteps, async (history) => {
      const { acknowledged, syncs, points } = await played(history);
      seen.acknowledged += acknowledged.length;
      seen.syncs += syncs;
      seen.late += points.lateWrites;
    });
    await fc.assert(property, { seed: testSeed(), numRuns: RUNS });
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no history had ${what}`);
  });

  it("go red where a touch is not in force", async () => {
    await client.query(NOT_IN_FORCE);
    const property = fc.asyncProperty(touchSteps, async (history) => {
      await played(history);
    });
    const { failed } = await fc.check(property, { seed: testSeed(), numRuns: 300, endOnFailure: true });
    assert.ok(failed);
  });
});
