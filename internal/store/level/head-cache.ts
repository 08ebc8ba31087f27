import { rowKey } from "../keys.ts";
import type { RowKey } from "../message-store.ts";

/** What the writer knows of one row. */
export interface KnownRow {
  readonly key: Uint8Array;
  /** Whether `head` is what the disk holds. False until it was read or durably written. */
  known: boolean;
  /** The durable bytes of `h:head`; undefined: absent. */
  head: Uint8Array | undefined;
}

/**
 * The durable heads of rows written lately. Right without asking the disk, because this process alone writes the
 * folder (LevelDB's lock) and `head` is set only after a synced batch. Two generations stand in for an LRU: a hit in
 * the old one moves the row to the young one, and when that is full the old one is dropped. At most 2 × `rows` rows
 * of about 400 bytes.
 */
export class HeadCache {
  readonly #rows: number;
  #young = new Map<string, KnownRow>();
  #old = new Map<string, KnownRow>();

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** The row, known or not yet known. */
  row(row: RowKey): KnownRow {
    const name = nameOf(row);
    let found = this.#young.get(name);
    if (found) return found;
    found = this.#old.get(name) ?? { key: rowKey(row), known: false, head: undefined };
    if (this.#young.size >= this.#rows) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, found);
    return found;
  }

  /** Forgets everything: after a failed batch nobody knows what the disk holds. */
  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
  }
}

/** A string per row: maps compare strings, not bytes. Latin-1 is the shortest and cheapest (0.2 µs). */
function nameOf(row: RowKey): string {
  const id = row.threadId;
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1") + row.bucket;
}
