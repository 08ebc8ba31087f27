import { logDamaged } from "../../base/heddle-error.ts";
import { ROW_KEY_BYTES, readEntryQualifier } from "../keys.ts";
import type { EntryCellPut, Row, RowKey, VersionedCell } from "../message-store.ts";
import { FAMILY_AT, LETTER, qualifierOf } from "./cell-keys.ts";
import type { Level } from "./level-folder.ts";
import { readTimestamp, readValue } from "./versioned-value.ts";

/** A row of the log with its key. */
export interface ScannedRow extends Row {
  readonly key: RowKey;
}

/** What an iterator fetches at once. */
const FETCH_BYTES = 1024 * 1024;

/**
 * All rows of the log, thread after thread, of each the buckets in order and the receipts last. For tools: it reads
 * everything there is, and keeps one row at a time. Rejects with LOG_DAMAGED where LevelDB cannot read.
 */
export async function* scanLog(db: Level): AsyncGenerator<ScannedRow> {
  try {
    yield* rowsOf(db.iterator({ highWaterMarkBytes: FETCH_BYTES }));
  } catch (error) {
    if ((error as { code?: unknown }).code === "LEVEL_CORRUPTION") throw logDamaged(undefined, error);
    throw error;
  }
}

/** The rows that keys and values, in order of the keys, make. */
export async function* rowsOf(
  cells: AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>,
): AsyncGenerator<ScannedRow> {
  let row: OpenRow | undefined;
  for await (const [key, value] of cells) {
    if (key.length <= ROW_KEY_BYTES) continue; // Not a cell: the log's mark.
    if (!row?.holds(key)) {
      if (row) yield row;
      row = new OpenRow(key);
    }
    row.add(key, value);
  }
  if (row) yield row;
}

class OpenRow implements ScannedRow {
  readonly key: RowKey;
  readonly #prefix: Buffer;
  head: Uint8Array | undefined;
  readonly entries: EntryCellPut[] = [];
  readonly cells: VersionedCell[] = [];

  constructor(key: Uint8Array) {
    this.#prefix = Buffer.from(key.subarray(0, ROW_KEY_BYTES));
    this.key = { threadId: this.#prefix.subarray(2, 18), bucket: this.#prefix.readUInt32BE(18) };
  }

  holds(key: Uint8Array): boolean {
    return this.#prefix.equals(key.subarray(0, ROW_KEY_BYTES));
  }

  add(key: Uint8Array, value: Uint8Array): void {
    const letter = key[FAMILY_AT];
    if (letter === LETTER.h) this.head = value;
    else if (letter === LETTER.m) this.entries.push({ ...readEntryQualifier(key, ROW_KEY_BYTES + 1), value });
    else
      this.cells.push({
        qualifier: qualifierOf(key),
        timestamp: readTimestamp(value),
        value: readValue(value),
      });
  }
}
