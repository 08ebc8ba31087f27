/**
 * The message log's store (docs/design.md, section 5). Implementations: level/ (embedded), postgres/ and hbase/;
 * all pass message-store.suite.ts. A row is the unit of atomicity; nothing spans rows.
 */

export interface RowKey {
  /** 16 bytes. */
  readonly threadId: Uint8Array;
  /** 0 … 0xFFFFFFFE for entries, RECEIPTS_BUCKET for receipts. */
  readonly bucket: number;
}

/** The row that holds a thread's receipts. */
export const RECEIPTS_BUCKET = 0xffffffff;

/** A cell of family `m`. */
export interface EntryCellPut {
  readonly seq: number;
  /** 8 bytes of SHA-256(sender, client_id). */
  readonly tag: Uint8Array;
  /** An encoded EntryCell. */
  readonly value: Uint8Array;
}

/** A cell of family `x` or `r`. Of several writes the highest timestamp stays; of equal ones the later. */
export interface VersionedCell {
  readonly qualifier: Uint8Array;
  readonly timestamp: number;
  readonly value: Uint8Array;
}

export interface RowQuery {
  /** Read `h:head`. */
  readonly head?: boolean;
  /** Read the cells of `m` with fromSeq ≤ seq ≤ toSeq; with keysOnly their values come back empty. */
  readonly entries?: { readonly fromSeq: number; readonly toSeq: number; readonly keysOnly?: boolean };
  /** Read all cells of this family. */
  readonly family?: "x" | "r";
  /** Of these, only those whose qualifier begins with these bytes, at most 256. */
  readonly prefix?: Uint8Array;
  /**
   * Of the present in any case. A server of HBase that stood still past its session may answer from before it did, for a
   * moment; a read that is proved costs a synced write there. For what nothing else proves: a refusal.
   */
  readonly isProved?: boolean;
}

export interface Row {
  /** The bytes of `h:head`, or undefined if absent (or not asked for). */
  readonly head: Uint8Array | undefined;
  /** In ascending order of seq. */
  readonly entries: readonly EntryCellPut[];
  /** In ascending order of qualifier. */
  readonly cells: readonly VersionedCell[];
}

/**
 * Every method rejects with HeddleError UNAVAILABLE / STORE_UNAVAILABLE when the store cannot serve, and a read with
 * DATA_LOSS / LOG_DAMAGED where what it asks for is there and cannot be read any more; a write that
 * was rejected, or never answered, may have been or may yet be applied. Byte arrays passed in must not change
 * afterwards; those handed out may be shared and must not be changed.
 */
export interface MessageStore {
  /**
   * If the row's head equals `expected` byte for byte (undefined: is absent), puts head and entries, as one atomic
   * durable step, and resolves to true; else changes nothing and resolves to false. False may also mean that this
   * very call was applied by an earlier try of the driver (docs/design.md, section 5, "False or timed out is unknown").
   */
  checkAndPut(
    row: RowKey,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    entries: readonly EntryCellPut[],
  ): Promise<boolean>;
  /** Puts cells of `x` or `r`, durably. */
  put(row: RowKey, family: "x" | "r", cells: readonly VersionedCell[]): Promise<void>;
  /** Reads one row as it is at one moment. A read that starts after a write was answered sees it. */
  get(row: RowKey, query: RowQuery): Promise<Row>;
}
