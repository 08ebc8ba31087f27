import { ROW_KEY_BYTES, readEntryQualifier } from "../keys.ts";
import type { EntryCellPut, Row, RowQuery, VersionedCell } from "../message-store.ts";
import { entryRange, familyRange, headKey, qualifierOf } from "./cell-keys.ts";
import type { Level } from "./level-folder.ts";
import { readTimestamp, readValue } from "./versioned-value.ts";

type Snapshot = ReturnType<Level["snapshot"]>;

/** What an iterator fetches from LevelDB's thread at once. Most rows fit, so most reads cost one round trip. */
const FETCH_BYTES = 1024 * 1024;

const NO_VALUE = new Uint8Array(0);

/**
 * Reads what the query asks of one row as it is at one moment: one read is one snapshot by itself, several share an
 * explicit one. Both are taken before this returns its promise, so an answered write is seen.
 */
export function readRow(db: Level, row: Uint8Array, query: RowQuery): Promise<Row> {
  const parts = [query.head, query.entries, query.family].filter(Boolean).length;
  if (parts < 2) return readParts(db, row, query, undefined);
  const snapshot = db.snapshot();
  return readParts(db, row, query, snapshot).finally(() => snapshot.close());
}

async function readParts(
  db: Level,
  row: Uint8Array,
  query: RowQuery,
  snapshot: Snapshot | undefined,
): Promise<Row> {
  const [head, entries, cells] = await Promise.all([
    query.head ? db.get(headKey(row), { snapshot }) : undefined,
    query.entries ? readEntries(db, row, query.entries, snapshot) : [],
    query.family ? readCells(db, row, query.family, query.prefix, snapshot) : [],
  ]);
  return { head, entries, cells };
}

async function readEntries(
  db: Level,
  row: Uint8Array,
  asked: NonNullable<RowQuery["entries"]>,
  snapshot: Snapshot | undefined,
): Promise<EntryCellPut[]> {
  if (asked.toSeq < asked.fromSeq) return [];
  const range = { ...entryRange(row, asked.fromSeq, asked.toSeq), snapshot, highWaterMarkBytes: FETCH_BYTES };
  if (asked.keysOnly) {
    const keys = await db.keys(range).all();
    return keys.map((key) => ({ ...readEntryQualifier(key, ROW_KEY_BYTES + 1), value: NO_VALUE }));
  }
  const found = await db.iterator(range).all();
  return found.map(([key, value]) => ({ ...readEntryQualifier(key, ROW_KEY_BYTES + 1), value }));
}

async function readCells(
  db: Level,
  row: Uint8Array,
  family: "x" | "r",
  prefix: Uint8Array | undefined,
  snapshot: Snapshot | undefined,
): Promise<VersionedCell[]> {
  const range = { ...familyRange(row, family, prefix), snapshot, highWaterMarkBytes: FETCH_BYTES };
  const found = await db.iterator(range).all();
  return found.map(([key, bytes]) => ({
    qualifier: qualifierOf(key),
    timestamp: readTimestamp(bytes),
    value: readValue(bytes),
  }));
}
