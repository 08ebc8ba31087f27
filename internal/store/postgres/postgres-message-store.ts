import { hex } from "../../base/ids.ts";
import { ENTRY_QUALIFIER_BYTES, readEntryQualifier, rowKey, writeEntryQualifier } from "../keys.ts";
import type { EntryCellPut, MessageStore, Row, RowKey, RowQuery, VersionedCell } from "../message-store.ts";
import { asBuffer } from "./as-buffer.ts";
import { MESSAGE_SCHEMA } from "./message-schema.ts";
import type { PostgresPool, Prepared } from "./postgres-pool.ts";

/** Both of one row, so that the check is of the very head that is replaced: a second writer waits, then finds another. */
const PUT_ENTRIES = `
  put AS (
    INSERT INTO message_cell (row_key, family, qualifier, at, value)
    SELECT won.row_key, 'm', entry.qualifier, 0, entry.value
    FROM won, unnest($3::bytea[], $4::bytea[]) AS entry (qualifier, value)
    ON CONFLICT (row_key, family, qualifier) DO UPDATE SET value = excluded.value
  )
  SELECT 1 FROM won`;

const PUT_FIRST: Prepared = {
  name: "message-put-first",
  text: `
  WITH won AS (
    INSERT INTO message_head (row_key, head) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING row_key
  ), ${PUT_ENTRIES}`,
};

const PUT_NEXT: Prepared = {
  name: "message-put-next",
  text: `
  WITH won AS (
    UPDATE message_head SET head = $2 WHERE row_key = $1 AND head = $5 RETURNING row_key
  ), ${PUT_ENTRIES}`,
};

const PUT_CELLS: Prepared = {
  name: "message-put-cells",
  text: `
  INSERT INTO message_cell AS stored (row_key, family, qualifier, at, value)
  SELECT $1, $2, cell.qualifier, cell.at, cell.value
  FROM unnest($3::bytea[], $4::bigint[], $5::bytea[]) AS cell (qualifier, at, value)
  ON CONFLICT (row_key, family, qualifier) DO UPDATE SET at = excluded.at, value = excluded.value
  WHERE stored.at <= excluded.at`,
};

const NO_BYTES = new Uint8Array(0);

interface Cell {
  readonly family: "h" | "m" | "x" | "r";
  readonly qualifier: Uint8Array;
  readonly at: number;
  readonly value: Uint8Array;
}

/**
 * The message log in Postgres (docs/design.md, section 5): one table of heads, one of cells. Every call is one statement,
 * so each read sees one moment. Any number of programs may use the same database.
 */
export class PostgresMessageStore implements MessageStore {
  readonly #pool: PostgresPool;

  private constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  /** Makes the tables where they are missing. Rejects with STORE_UNAVAILABLE. */
  static async open(pool: PostgresPool): Promise<PostgresMessageStore> {
    await pool.migrate("message", MESSAGE_SCHEMA);
    return new PostgresMessageStore(pool);
  }

  async checkAndPut(
    row: RowKey,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    entries: readonly EntryCellPut[],
  ): Promise<boolean> {
    let bytes = head.length;
    const qualifiers = entries.map(({ seq, tag, value }) => {
      bytes += ENTRY_QUALIFIER_BYTES + value.length;
      const qualifier = new Uint8Array(ENTRY_QUALIFIER_BYTES);
      writeEntryQualifier(qualifier, 0, seq, tag);
      return asBuffer(qualifier);
    });
    const values = [
      asBuffer(rowKey(row)),
      asBuffer(head),
      qualifiers,
      entries.map((one) => asBuffer(one.value)),
    ];
    const won = expected
      ? await this.#pool.rows(PUT_NEXT, [...values, asBuffer(expected)], bytes)
      : await this.#pool.rows(PUT_FIRST, values, bytes);
    return won.length === 1;
  }

  async put(row: RowKey, family: "x" | "r", cells: readonly VersionedCell[]): Promise<void> {
    // One statement may not change a cell twice; and in one order, or two of them could wait for each other for ever.
    const highest = new Map<string, VersionedCell>();
    let bytes = 0;
    for (const cell of cells) {
      const name = hex(cell.qualifier);
      if (cell.timestamp >= (highest.get(name)?.timestamp ?? 0)) highest.set(name, cell);
      bytes += cell.qualifier.length + cell.value.length;
    }
    const ordered = [...highest.keys()].sort().map((name) => highest.get(name) as VersionedCell);
    const qualifiers = ordered.map((cell) => asBuffer(cell.qualifier));
    const times = ordered.map((cell) => cell.timestamp);
    const values = ordered.map((cell) => asBuffer(cell.value));
    await this.#pool.rows(PUT_CELLS, [asBuffer(rowKey(row)), family, qualifiers, times, values], bytes);
  }

  async get(row: RowKey, query: RowQuery): Promise<Row> {
    const { statement, values } = readStatement(asBuffer(rowKey(row)), query);
    const cells = statement ? await this.#pool.rows<Cell>(statement, values, 0) : [];
    return {
      head: cells.find(({ family }) => family === "h")?.value,
      entries: cells
        .filter(({ family }) => family === "m")
        .map(({ qualifier, value }) => ({ ...readEntryQualifier(qualifier, 0), value })),
      cells: cells
        .filter(({ family }) => family === "x" || family === "r")
        .map(({ qualifier, at, value }) => ({ qualifier, timestamp: at, value })),
    };
  }
}

/** One statement for what is asked, named after its shape: there are few. Undefined where nothing is asked. */
function readStatement(key: Buffer, query: RowQuery) {
  const { head, entries, family, prefix = NO_BYTES } = query;
  const values: unknown[] = [key];
  const place = (value: unknown) => `$${values.push(value)}`;
  const parts: string[] = [];
  if (head)
    parts.push(
      `SELECT 'h'::"char" AS family, ''::bytea AS qualifier, 0::bigint AS at, head AS value FROM message_head WHERE row_key = $1`,
    );
  if (entries) {
    const value = entries.keysOnly ? "''::bytea AS value" : "value";
    const from = place(asBuffer(seqBound(entries.fromSeq, 0)));
    const to = place(asBuffer(seqBound(entries.toSeq, 0xff)));
    parts.push(
      `SELECT family, qualifier, at, ${value} FROM message_cell WHERE row_key = $1 AND family = 'm' AND qualifier BETWEEN ${from} AND ${to}`,
    );
  }
  if (family) {
    const first = place(asBuffer(prefix));
    const length = place(prefix.length);
    parts.push(
      `SELECT family, qualifier, at, value FROM message_cell WHERE row_key = $1 AND family = '${family}' AND qualifier >= ${first} AND substring(qualifier FROM 1 FOR ${length}::int) = ${first}`,
    );
  }
  const name = `message-get-${head ? "h" : ""}${entries ? (entries.keysOnly ? "k" : "m") : ""}${family ?? ""}`;
  const text = `${parts.join(" UNION ALL ")} ORDER BY family, qualifier`;
  return { statement: parts.length > 0 ? { name, text } : undefined, values };
}

function seqBound(seq: number, tagByte: number): Uint8Array {
  const bound = new Uint8Array(ENTRY_QUALIFIER_BYTES);
  writeEntryQualifier(bound, 0, seq, new Uint8Array(8).fill(tagByte));
  return bound;
}
