import { equalBytes, hex } from "../../../base/ids.ts";
import type {
  EntryCellPut,
  MessageStore,
  Row,
  RowKey,
  RowQuery,
  VersionedCell,
} from "../../../store/message-store.ts";

/** A row, made when it is first named. */
interface MemoryRow {
  /** 32 bytes; undefined until something was appended. */
  head: Uint8Array | undefined;
  /** By seq and tag, as text that sorts like the bytes of the qualifier. */
  readonly entries: Map<string, EntryCellPut>;
  /** Families `x` and `r`, by the qualifier in hex. */
  readonly x: Map<string, VersionedCell>;
  readonly r: Map<string, VersionedCell>;
}

const NO_VALUE = new Uint8Array(0);

/**
 * A MessageStore in memory that passes the same suite: for property tests, where thousands of short histories run.
 * Each call takes effect at once, when it is made; only its answer comes later, through a promise.
 */
export class MemoryMessageStore implements MessageStore {
  readonly #rows = new Map<string, MemoryRow>();

  async checkAndPut(
    key: RowKey,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    entries: readonly EntryCellPut[],
  ): Promise<boolean> {
    const row = this.#row(key);
    const holds = row.head && expected ? equalBytes(row.head, expected) : row.head === expected;
    if (!holds) return false;
    row.head = head;
    for (const entry of entries) row.entries.set(entryName(entry), entry);
    return true;
  }

  async put(key: RowKey, family: "x" | "r", cells: readonly VersionedCell[]): Promise<void> {
    const stored = this.#row(key)[family];
    for (const cell of cells) {
      const name = hex(cell.qualifier);
      if (cell.timestamp >= (stored.get(name)?.timestamp ?? 0)) stored.set(name, cell);
    }
  }

  async get(key: RowKey, query: RowQuery): Promise<Row> {
    const row = this.#row(key);
    return {
      head: query.head ? row.head : undefined,
      entries: query.entries ? entriesOf(row, query.entries) : [],
      cells: query.family ? sorted(row[query.family]).filter((cell) => beginsWith(cell, query.prefix)) : [],
    };
  }

  #row(key: RowKey): MemoryRow {
    const name = `${hex(key.threadId)}${key.bucket}`;
    let row = this.#rows.get(name);
    if (!row) {
      row = { head: undefined, entries: new Map(), x: new Map(), r: new Map() };
      this.#rows.set(name, row);
    }
    return row;
  }
}

function beginsWith({ qualifier }: VersionedCell, prefix: Uint8Array = NO_VALUE): boolean {
  return equalBytes(qualifier.subarray(0, prefix.length), prefix);
}

/** Sorts like the qualifier's bytes: the seq in 16 digits of hex, and then the tag. */
function entryName(entry: EntryCellPut): string {
  return entry.seq.toString(16).padStart(16, "0") + hex(entry.tag);
}

function entriesOf(row: MemoryRow, asked: NonNullable<RowQuery["entries"]>): readonly EntryCellPut[] {
  const found = sorted(row.entries).filter(({ seq }) => seq >= asked.fromSeq && seq <= asked.toSeq);
  return asked.keysOnly ? found.map((entry) => ({ ...entry, value: NO_VALUE })) : found;
}

function sorted<T>(cells: ReadonlyMap<string, T>): readonly T[] {
  const names = [...cells.keys()].sort();
  return names.map((name) => cells.get(name) as T);
}
