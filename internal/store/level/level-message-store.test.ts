import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { messageStoreSuite } from "../message-store.suite.ts";
import { LevelMessageStore } from "./level-message-store.ts";

messageStoreSuite("LevelMessageStore", async () => {
  const path = await mkdtemp(join(tmpdir(), "heddle-level-"));
  const open = () => LevelMessageStore.open({ path, clock: systemClock });
  let store = await open();
  return {
    store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async close() {
      await store.close();
      await rm(path, { recursive: true });
    },
  };
});
