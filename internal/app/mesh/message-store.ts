import { z } from "zod";
import type { SettingValues } from "../../base/env.ts";
import { DatabaseError } from "../../store/database-error.ts";
import type { MessageStore } from "../../store/message-store.ts";
import { oneOf, setting } from "../settings/kinds.ts";
import type { Program } from "./program.ts";
import type { SharedRows } from "./shared-rows.ts";

/** Where messages are. Their numbers stand in the rows: what is written never changes. */
const STORES = { postgres: 1, hbase: 2 } as const;

/** Of the store of messages. */
export const MESSAGE_STORE_SETTINGS = {
  HEDDLE_MESSAGE_STORE: setting(
    oneOf(["postgres", "hbase"]).default("postgres"),
    "where messages are: postgres (that of the rows) or hbase",
  ),
  HEDDLE_HBASE_QUORUM: setting(
    z.string().default("127.0.0.1:2181"),
    "hbase: ZooKeeper's members, host:port, separated by commas",
  ),
  HEDDLE_HBASE_TABLE: setting(z.string().default("heddle"), "hbase: the table of the messages"),
};

/** The store of messages, and what is wrong with it, if anything is. */
export interface OpenMessageStore {
  readonly logs: MessageStore;
  trouble(): string | undefined;
}

/**
 * Opens the store of messages. Which one that is, is noted in the rows, and another is refused: its logs would be empty.
 * Rejects with DatabaseError.
 */
export async function openMessageStore(
  _program: Program,
  values: SettingValues<typeof MESSAGE_STORE_SETTINGS>,
  { database }: SharedRows,
): Promise<OpenMessageStore> {
  const { HEDDLE_MESSAGE_STORE: store } = values;
  const noted = await database.kept("message_store", STORES[store]);
  if (noted !== STORES[store]) {
    const other = Object.entries(STORES).find(([, number]) => number === noted)?.[0] ?? `store ${noted}`;
    throw new DatabaseError(`the messages of these rows are in ${other}: set HEDDLE_MESSAGE_STORE=${other}`);
  }
  if (store === "hbase")
    throw new DatabaseError("HEDDLE_MESSAGE_STORE: hbase is not built into this program yet");
  return { logs: database.messages, trouble: () => undefined };
}
