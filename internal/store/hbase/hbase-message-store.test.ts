import { systemClock } from "../../base/clock.ts";
import { hbaseServer } from "../../testing/hbase/hbase-server.ts";
import { inTurn } from "../in-turn.ts";
import { messageStoreSuite } from "../message-store.suite.ts";
import type { MessageStore } from "../message-store.ts";
import { DRIVER_NAMES, type DriverName } from "./drivers.ts";
import { HbaseMessages } from "./hbase-messages.ts";

/** Two programs on one table, of which one makes it. Calls go to them in turn. */
async function openTwo(quorum: string, driver: DriverName) {
  const init = { quorum, table: `suite-${driver}`, driver, waitMs: 10_000, clock: systemClock } as const;
  const programs = await Promise.all([0, 1].map(() => HbaseMessages.open({ ...init, callMs: 60_000 })));
  const turns = inTurn<MessageStore>(programs.map(({ store }) => store));
  const store: MessageStore = {
    checkAndPut: (...args) => turns.checkAndPut(...args),
    put: (...args) => turns.put(...args),
    get: (...args) => turns.get(...args),
  };
  return { store, close: () => Promise.all(programs.map((program) => program.close())) };
}

for (const driver of DRIVER_NAMES)
  messageStoreSuite(`HbaseMessageStore by ${driver}, two on one table,`, async () => {
    const { quorum } = await hbaseServer();
    let opened = await openTwo(quorum, driver);
    return {
      store: opened.store,
      async reopen() {
        await opened.close();
        opened = await openTwo(quorum, driver);
        return opened.store;
      },
      async close() {
        await opened.close();
      },
    };
  });
