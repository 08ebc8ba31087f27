import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "../../testing/fake-clock.ts";
import { threadStoreSuite } from "../thread-store.suite.ts";
import { SqliteThreadStore } from "./sqlite-thread-store.ts";

threadStoreSuite("SqliteThreadStore on a file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-sqlite-"));
  const clock = new FakeClock();
  const open = () => new SqliteThreadStore({ path: join(folder, "threads.db"), clock });
  let store = open();
  return {
    store,
    clock,
    async reopen() {
      await store.close();
      store = open();
      return store;
    },
    async close() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

threadStoreSuite(
  "SqliteThreadStore in memory",
  async () => {
    const clock = new FakeClock();
    const store = new SqliteThreadStore({ path: ":memory:", clock });
    return { store, clock, close: () => store.close() };
  },
  { durable: false },
);
