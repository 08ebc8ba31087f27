import { type PostgresServer, postgresServer } from "../../testing/postgres/postgres-server.ts";
import { messageStoreSuite } from "../message-store.suite.ts";
import type { MessageStore } from "../message-store.ts";
import { PostgresMessageStore } from "./postgres-message-store.ts";
import { PostgresPool } from "./postgres-pool.ts";

/** Two programs of one database at the first call, which is why both migrate at once. Calls go to them in turn. */
async function openTwo(server: PostgresServer) {
  const pools = [0, 1].map(
    () => new PostgresPool({ name: "message", database: server.database, callMs: 60_000 }),
  );
  const stores = await Promise.all(pools.map((pool) => PostgresMessageStore.open(pool)));
  let calls = 0;
  const next = () => stores[calls++ % 2] as MessageStore;
  const store: MessageStore = {
    checkAndPut: (...args) => next().checkAndPut(...args),
    put: (...args) => next().put(...args),
    get: (...args) => next().get(...args),
  };
  return { store, close: () => Promise.all(pools.map((pool) => pool.close())) };
}

messageStoreSuite("PostgresMessageStore, two on one database,", async () => {
  const server = await postgresServer();
  let opened = await openTwo(server);
  return {
    store: opened.store,
    async reopen() {
      await opened.close();
      opened = await openTwo(server);
      return opened.store;
    },
    async close() {
      await opened.close();
    },
  };
});
