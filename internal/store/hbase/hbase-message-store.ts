import { HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { ownBytes } from "../../base/own-bytes.ts";
import { ENTRY_QUALIFIER_BYTES, readEntryQualifier, rowKey, writeEntryQualifier } from "../keys.ts";
import type { EntryCellPut, MessageStore, Row, RowKey, RowQuery, VersionedCell } from "../message-store.ts";
import type { HbaseTable, TableCounts } from "./cluster/hbase-table.ts";
import type { Cell, NewCell } from "./wall/driver.ts";
import { columnPrefix, columnRange, type Filter, KEYS_ONLY, ofFamily, passing } from "./wall/filters.ts";

const HEAD = new TextEncoder().encode("head");
const NO_BYTES = new Uint8Array(0);

/** What is marked to prove a head: a version of it that nobody writes. */
const MARK: NewCell = { family: "h", qualifier: HEAD, value: NO_BYTES, timestamp: 1 };

/** A head that changes under us is read so often before we give up. */
const PROOF_TRIES = 8;

/** What has happened since the start. */
export interface HbaseCounts extends TableCounts {
  /** Checks that were answered with "no" because an earlier try of the same call had been done. */
  readonly ownFalse: number;
  /** Heads that a write has proved. */
  readonly proofs: number;
}

/**
 * The message log in HBase (docs/design.md, section 5): a row is a row, and each call one operation on one region, so
 * each read sees one moment. Any number of programs may use the same table.
 */
export class HbaseMessageStore implements MessageStore {
  readonly #table: HbaseTable;
  #ownFalse = 0;
  #proofs = 0;

  constructor(table: HbaseTable) {
    this.#table = table;
  }

  get counts(): HbaseCounts {
    return { ...this.#table.counts, ownFalse: this.#ownFalse, proofs: this.#proofs };
  }

  checkAndPut(
    row: RowKey,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    entries: readonly EntryCellPut[],
  ): Promise<boolean> {
    return unlessAway(async () => {
      const cells = entries.map((entry) => ({
        family: "m",
        qualifier: qualifierOf(entry),
        value: entry.value,
      }));
      const write = {
        kind: "put",
        row: rowKey(row),
        cells: [...cells, { family: "h", qualifier: HEAD, value: head }],
      } as const;
      const check = { family: "h", qualifier: HEAD, expected };
      const { isDone, tries } = await this.#table.checkAndWrite(write, check);
      if (isDone || tries === 1) return isDone;
      // An earlier try of ours may have been done before its connection ended: then the head is ours, or was.
      if (!(await this.#hasOurs(row, head, entries))) return false;
      this.#ownFalse++;
      return true;
    });
  }

  put(row: RowKey, family: "x" | "r", cells: readonly VersionedCell[]): Promise<void> {
    return unlessAway(async () => {
      if (cells.length === 0) return;
      const own = cells.map(({ qualifier, timestamp, value }) => ({ family, qualifier, timestamp, value }));
      await this.#table.put({ kind: "put", row: rowKey(row), cells: own });
    });
  }

  get(row: RowKey, query: RowQuery): Promise<Row> {
    return unlessAway(() => (query.isProved ? this.#proved(row, query) : this.#read(row, query)));
  }

  async #read(row: RowKey, query: RowQuery): Promise<Row> {
    const families = familiesOf(query);
    if (families.length === 0) return { head: undefined, entries: [], cells: [] };
    const cells = await this.#table.get({ row: rowKey(row), families, filter: filterOf(query) });
    return rowOf(cells, query.entries?.keysOnly ?? false);
  }

  /**
   * A region server that stood still past its session may answer a read from before it did, but it can write no more: its
   * log was taken over before another server served the region. So a write that leaves everything as it is, and that is
   * done only if the head is still the one that was read, proves that the head was read from the one that serves.
   */
  async #proved(row: RowKey, query: RowQuery): Promise<Row> {
    for (let tries = 0; tries < PROOF_TRIES; tries++) {
      const read = await this.#read(row, { ...query, head: true });
      const mark = { kind: "mark", row: rowKey(row), cells: [MARK] } as const;
      const check = { family: "h", qualifier: HEAD, expected: read.head };
      if (!(await this.#table.checkAndWrite(mark, check)).isDone) continue;
      this.#proofs++;
      return query.head ? read : { ...read, head: undefined };
    }
    throw storeUnavailable("message", new Error("the head changes faster than it can be proved"));
  }

  async #hasOurs(row: RowKey, head: Uint8Array, entries: readonly EntryCellPut[]): Promise<boolean> {
    const seqs = entries.map(({ seq }) => seq);
    const range = { fromSeq: Math.min(...seqs), toSeq: Math.max(...seqs) };
    const found = await this.#read(row, { head: true, ...(seqs.length > 0 ? { entries: range } : {}) });
    // Without an entry the head alone tells; with one it may have gone on since.
    if (entries.length === 0) return found.head !== undefined && isEqual(found.head, head);
    const names = new Map(found.entries.map((entry) => [nameOf(entry), entry.value]));
    return entries.every((entry) => {
      const value = names.get(nameOf(entry));
      return value !== undefined && isEqual(value, entry.value);
    });
  }
}

async function unlessAway<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof HeddleError ? error : storeUnavailable("message", error);
  }
}

function familiesOf({ head, entries, family }: RowQuery): string[] {
  return [...(head ? ["h"] : []), ...(entries ? ["m"] : []), ...(family ? [family] : [])];
}

/** What holds for one family only is asked of that family; of a family alone, nothing is left out. */
function filterOf({ head, entries, family, prefix = NO_BYTES }: RowQuery): Filter | undefined {
  if (!entries && prefix.length === 0) return undefined;
  const parts: Filter[] = [];
  if (head) parts.push(ofFamily("h"));
  if (entries) {
    const range = columnRange(seqBound(entries.fromSeq), seqEnd(entries.toSeq));
    parts.push(passing("all", [ofFamily("m"), range, ...(entries.keysOnly ? [KEYS_ONLY] : [])]));
  }
  if (family)
    parts.push(passing("all", [ofFamily(family), ...(prefix.length > 0 ? [columnPrefix(prefix)] : [])]));
  return passing("one", parts);
}

function rowOf(cells: readonly Cell[], isKeysOnly: boolean): Row {
  let head: Uint8Array | undefined;
  const entries: EntryCellPut[] = [];
  const versioned: VersionedCell[] = [];
  for (const { family, qualifier, timestamp, value } of cells) {
    // Kept for long, beside what was read with it.
    if (family === "h") head = ownBytes(value);
    else if (family === "m")
      entries.push({ ...readEntryQualifier(qualifier, 0), value: isKeysOnly ? NO_BYTES : value });
    else versioned.push({ qualifier, timestamp, value });
  }
  return { head, entries, cells: versioned };
}

function qualifierOf({ seq, tag }: Pick<EntryCellPut, "seq" | "tag">): Uint8Array {
  const qualifier = new Uint8Array(ENTRY_QUALIFIER_BYTES);
  writeEntryQualifier(qualifier, 0, seq, tag);
  return qualifier;
}

const NO_TAG = new Uint8Array(8);

function seqBound(seq: number): Uint8Array {
  return qualifierOf({ seq, tag: NO_TAG });
}

/** The first qualifier behind a seq; none behind the last. */
function seqEnd(seq: number): Uint8Array | undefined {
  return seq >= Number.MAX_SAFE_INTEGER ? undefined : seqBound(seq + 1);
}

function nameOf(entry: EntryCellPut): string {
  return Buffer.from(qualifierOf(entry)).toString("latin1");
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
