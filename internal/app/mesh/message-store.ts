import { z } from "zod";
import type { SettingValues } from "../../base/env.ts";
import { DatabaseError } from "../../store/database-error.ts";
import { DRIVER_NAMES } from "../../store/hbase/drivers.ts";
import { HbaseMessages } from "../../store/hbase/hbase-messages.ts";
import type { MessageStore } from "../../store/message-store.ts";
import type { PostgresDatabase } from "../../store/postgres/postgres-database.ts";
import { exposeHbase } from "../operators/hbase-metrics.ts";
import type { DATABASE_SETTINGS } from "../settings/groups.ts";
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
  HEDDLE_HBASE_DRIVER: setting(
    oneOf(DRIVER_NAMES).default("thin"),
    "hbase: what speaks its protocol, thin (our own) or rpc-client (the package hbase-rpc-client)",
  ),
};

/** The store of messages, and what is wrong with it, if anything is. */
export interface OpenMessageStore {
  readonly logs: MessageStore;
  trouble(): string | undefined;
}

/** What says how the store of messages is opened. */
type MessageStoreValues = SettingValues<typeof MESSAGE_STORE_SETTINGS & typeof DATABASE_SETTINGS>;

/**
 * Opens the store of messages. Which one that is, is noted in the rows, and another is refused: its logs would be empty.
 * Rejects with DatabaseError.
 */
export async function openMessageStore(
  program: Pick<Program, "clock" | "metrics" | "stack" | "stopped">,
  values: MessageStoreValues,
  shared: Pick<SharedRows, "watch"> & { readonly database: Pick<PostgresDatabase, "kept" | "messages"> },
): Promise<OpenMessageStore> {
  const { HEDDLE_MESSAGE_STORE: store } = values;
  const { database } = shared;
  const noted = await database.kept("message_store", STORES[store]);
  if (noted !== STORES[store]) {
    const other = Object.entries(STORES).find(([, number]) => number === noted)?.[0] ?? `store ${noted}`;
    throw new DatabaseError(`the messages of these rows are in ${other}: set HEDDLE_MESSAGE_STORE=${other}`);
  }
  if (store === "postgres") return { logs: database.messages, trouble: () => undefined };
  const { HEDDLE_HBASE_TABLE: table, HEDDLE_DATABASE_WAIT_S: waitS } = values;
  const messages = await HbaseMessages.open({
    table,
    quorum: values.HEDDLE_HBASE_QUORUM,
    driver: values.HEDDLE_HBASE_DRIVER,
    waitMs: waitS * 1_000,
    clock: program.clock,
    watch: shared.watch("hbase"),
    signal: program.stopped,
  });
  program.stack.add("HBase", () => messages.close());
  if ((await database.kept("message_table", messages.tableId)) !== messages.tableId) {
    const how = "name that one in HEDDLE_HBASE_TABLE, or put it back from a snapshot (docs/hbase.md)";
    throw new DatabaseError(`the table ${table} is not the one that has the messages of these rows: ${how}`);
  }
  exposeHbase(program.metrics, messages.store);
  return { logs: messages.store, trouble: () => messages.trouble ?? messages.weakness };
}
