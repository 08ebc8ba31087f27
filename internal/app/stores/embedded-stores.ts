import { existsSync } from "node:fs";
import { LevelMessageStore } from "../../store/level/level-message-store.ts";
import { SqliteThreadStore } from "../../store/sqlite/sqlite-thread-store.ts";
import { TwoHalves } from "../../store/two-halves.ts";
import { backUp, clearStaging } from "../care/backup.ts";
import { refuseElsewhere, refuseHalf } from "../folder/data-folder.ts";
import { beginHistory, refuseUnnamed } from "../folder/history.ts";
import { refuseRepairing } from "../folder/repair-lock.ts";
import type { Stores, StoresInit } from "./stores.ts";

/** Opens the stores that are files of the data folder. Rejects with DataFolderError. */
export async function openEmbeddedStores(init: StoresInit): Promise<Stores> {
  const { config, folder, clock, log, watch, stack } = init;
  refuseRepairing(folder);
  await refuseElsewhere(config.dataDir);
  refuseHalf(folder);
  await refuseUnnamed(folder);
  const hadMessages = existsSync(folder.messages);
  // First, because its lock is taken before a file is looked at: another process may be writing them.
  const rows = new SqliteThreadStore({ path: folder.threads, clock, watch: watch("thread") });
  stack.add("thread store", () => rows.close());
  const logs = await LevelMessageStore.open({
    path: folder.messages,
    clock,
    watch: watch("message"),
    rows: () => rows.state,
  });
  stack.add("message store", () => logs.close());
  // Each store notes the other's mark: a start on halves of different times is refused, before a service reads them.
  const halves = new TwoHalves(logs, rows, clock);
  await halves.check(config.dataDir);
  await halves.start(config.dataDir);
  stack.add("notes of the stores", () => halves.stop());
  if (await clearStaging(config.dataDir))
    log.warn("a backup was ended before it was whole: what it left is removed");
  const { history, remark } = await beginHistory(folder);
  if (remark && hadMessages) log.warn(remark);

  return {
    logs,
    rows,
    history,
    engine: undefined,
    backUp: (target, progress) => backUp({ dataDir: config.dataDir, log: logs, rows }, target, progress),
    notReady: () => {
      if (!logs.ready()) return "the message store cannot write";
      return rows.ready() ? undefined : "the thread store cannot write";
    },
    over: new Promise(() => {}),
  };
}
