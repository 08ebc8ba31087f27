import { equalBytes } from "../../base/ids.ts";
import type { EntryCellPut, RowKey } from "../message-store.ts";
import { entryKey, headKey } from "./cell-keys.ts";
import type { HeadCache, KnownRow } from "./head-cache.ts";
import type { Level } from "./level-folder.ts";
import { encodeVersioned, readTimestamp } from "./versioned-value.ts";

/** A checkAndPut. */
export interface CheckedWrite {
  readonly row: RowKey;
  readonly expected: Uint8Array | undefined;
  readonly head: Uint8Array;
  readonly entries: readonly EntryCellPut[];
}

/** A cell of `x` or `r` under its key in LevelDB. */
export interface KeyedCell {
  readonly key: Buffer;
  readonly timestamp: number;
  readonly value: Uint8Array;
}

/** A checkAndPut, or a put of cells. */
export type Write = CheckedWrite | readonly KeyedCell[];

/**
 * What one group of writes comes to: one LevelDB batch, and what each is answered once that is durable.
 *
 * Writes are judged in order, each on top of those before it. That makes checkAndPut serial per row; and as LevelDB
 * applies a batch whole or not at all, a later write of the group may build on an earlier one. What the cache does
 * not know is read first, all at once: nobody else writes between that read and the batch.
 */
export class CommitPlan {
  /** The batch. Empty if every write was refused or outdated. */
  readonly operations: { type: "put"; key: Uint8Array; value: Uint8Array }[] = [];
  /** Of each write, in order. Always true for cells: an outdated cell is as good as written. */
  readonly outcomes: boolean[] = [];
  readonly #heads = new Map<KnownRow, Uint8Array>();
  /** The highest timestamp of each cell that the writes name, by key. */
  readonly #timestamps = new Map<string, number>();

  private constructor() {}

  /** Reads what is needed and judges. At most as many writes as the cache keeps rows. */
  static async make(db: Level, cache: HeadCache, writes: readonly Write[]): Promise<CommitPlan> {
    const plan = new CommitPlan();
    const rows = writes.map((write) => ("row" in write ? cache.row(write.row) : undefined));
    await plan.#read(db, rows, writes);
    writes.forEach((write, at) => {
      const row = rows[at];
      plan.outcomes.push("row" in write ? row !== undefined && plan.#check(row, write) : plan.#raise(write));
    });
    for (const [row, head] of plan.#heads) plan.#put(headKey(row.key), head);
    return plan;
  }

  /** The batch is durable: from now on the cache may say so. */
  applied(): void {
    for (const [row, head] of this.#heads) row.head = head;
  }

  async #read(db: Level, rows: readonly (KnownRow | undefined)[], writes: readonly Write[]): Promise<void> {
    const unknown = new Set<KnownRow>();
    for (const row of rows) if (row && !row.known) unknown.add(row);
    const cells = writes.flatMap((write) => ("row" in write ? [] : write));
    if (unknown.size + cells.length === 0) return;
    const heads = [...unknown];
    const keys = [...heads.map((row) => headKey(row.key)), ...cells.map((cell) => cell.key)];
    const found = await db.getMany(keys);
    heads.forEach((row, at) => {
      row.head = found[at];
      row.known = true;
    });
    cells.forEach((cell, at) => {
      const stored = found[heads.length + at];
      if (stored) this.#timestamps.set(nameOf(cell.key), readTimestamp(stored));
    });
  }

  #check(row: KnownRow, write: CheckedWrite): boolean {
    const held = this.#heads.get(row) ?? row.head;
    const holds = held && write.expected ? equalBytes(held, write.expected) : held === write.expected;
    if (!holds) return false;
    this.#heads.set(row, write.head);
    for (const entry of write.entries) this.#put(entryKey(row.key, entry.seq, entry.tag), entry.value);
    return true;
  }

  #raise(cells: readonly KeyedCell[]): true {
    for (const { key, timestamp, value } of cells) {
      const name = nameOf(key);
      if (timestamp < (this.#timestamps.get(name) ?? 0)) continue;
      this.#timestamps.set(name, timestamp);
      this.#put(key, encodeVersioned(timestamp, value));
    }
    return true;
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.operations.push({ type: "put", key, value });
  }
}

function nameOf(key: Buffer): string {
  return key.toString("latin1");
}
