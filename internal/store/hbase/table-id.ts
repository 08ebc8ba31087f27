import { readUint64, writeUint64 } from "../keys.ts";
import type { HbaseTable } from "./cluster/hbase-table.ts";

/** The row of what the whole table has. It is shorter than every thread's row, so it is none of theirs. */
const ROW = new TextEncoder().encode("table");
const FAMILY = "h";
const ID = new TextEncoder().encode("id");

/**
 * The number of the table, made with its first use, `made` where there was none. Who keeps the rows notes it: a table of
 * the same name that was made anew, or another one, has none of the messages of which those rows speak.
 */
export async function tableId(table: HbaseTable, made: number): Promise<number> {
  const stored = await readId(table);
  if (stored !== undefined) return stored;
  const value = new Uint8Array(8);
  writeUint64(value, 0, made);
  const write = { kind: "put", row: ROW, cells: [{ family: FAMILY, qualifier: ID, value }] } as const;
  await table.checkAndWrite(write, { family: FAMILY, qualifier: ID, expected: undefined });
  const now = await readId(table);
  if (now === undefined) throw new Error("the table did not keep its number");
  return now;
}

async function readId(table: HbaseTable): Promise<number | undefined> {
  const [cell] = await table.get({ row: ROW, families: [FAMILY], filter: undefined });
  return cell && readUint64(cell.value, 0);
}

/** Whether the table serves: rejects if not, as a read does. */
export async function look(table: HbaseTable): Promise<void> {
  await readId(table);
}
