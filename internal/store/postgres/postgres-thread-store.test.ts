import assert from "node:assert/strict";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { freshDatabase } from "../../testing/postgres/fresh-database.ts";
import { threadStoreSuite } from "../thread-store.suite.ts";
import { PostgresPool } from "./postgres-pool.ts";
import { PostgresThreadStore } from "./postgres-thread-store.ts";

type Database = Awaited<ReturnType<typeof freshDatabase>>["database"];

async function openTwo(database: Database, clocks: readonly [FakeClock, FakeClock]) {
  const pools = [0, 1].map(() => new PostgresPool({ name: "thread", database, callMs: 60_000 }));
  const opened = pools.map((pool, at) => PostgresThreadStore.open(pool, clocks[at] as FakeClock));
  const stores = (await Promise.all(opened)) as [PostgresThreadStore, PostgresThreadStore];
  const settle = () => Promise.all(stores.map((store) => store.flush()));
  return {
    stores,
    settle,
    async close() {
      await settle();
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}

threadStoreSuite("PostgresThreadStore, two on one database,", async () => {
  const { database, client } = await freshDatabase();
  const clocks = [new FakeClock(), new FakeClock(new FakeClock().nowMs() - 20_000)] as const;
  let opened = await openTwo(database, clocks);
  let nowMs = clocks[0].nowMs();
  const setClock = (ms: number) =>
    client.query(
      `CREATE OR REPLACE FUNCTION store_now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT ${ms}::bigint'`,
    );
  await setClock(nowMs);
  return {
    stores: opened.stores,
    clock: {
      nowMs: () => nowMs,
      async jumpWall(ms) {
        nowMs += ms;
        await setClock(nowMs);
      },
    },
    async writes() {
      const next = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next";
      return Number((await client.query<{ next: string }>(next)).rows[0]?.next);
    },
    settle: () => opened.settle(),
    async reopen() {
      await opened.close();
      opened = await openTwo(database, clocks);
      return opened.stores;
    },
    async close() {
      await opened.close();
      await client.end();
    },
  };
});

describe("PostgresThreadStore", () => {
  it("takes the time from the database", async () => {
    const { database, client } = await freshDatabase();
    const opened = await openTwo(database, [new FakeClock(), new FakeClock()]);
    const beforeMs = Date.now();
    const { nowMs } = await opened.stores[0].sync("ann", undefined, 0, 10);
    assert.ok(nowMs >= beforeMs && nowMs <= Date.now());
    await opened.close();
    await client.end();
  });

  it("refuses text that Postgres cannot keep, and says so", async () => {
    const { database, client } = await freshDatabase();
    const opened = await openTwo(database, [new FakeClock(), new FakeClock()]);
    const [store] = opened.stores;
    const refused = store.setProfile("ann", { displayName: "a\0b", pictureUrl: "" });
    await assert.rejects(refused, /U\+0000/);
    await store.setProfile("ann", { displayName: "ab", pictureUrl: "" });
    assert.equal((await store.readProfiles(["ann"])).get("ann")?.displayName, "ab");
    await opened.close();
    await client.end();
  });
});
