import { ByteReader } from "../files/byte-reader.ts";

/** A record of a write-ahead log: number of its first operation (8), how many there are (4), the operations. */
const DELETE = 0;
const PUT = 1;

/** What LevelDB keeps of a key at one time. */
export interface StoredCell {
  readonly key: Uint8Array;
  /** The number of the operation that wrote it: of two for one key the higher counts. */
  readonly sequence: number;
  /** Undefined: it was deleted. */
  readonly value: Uint8Array | undefined;
}

/** The operations of a record. Throws RangeError for what is no batch. */
export function readBatch(record: Uint8Array): StoredCell[] {
  const reader = new ByteReader(record);
  let sequence = reader.uint64();
  const count = reader.uint32();
  const cells: StoredCell[] = [];
  for (let nth = 0; nth < count; nth++) {
    const kind = reader.bytes(1)[0];
    if (kind !== PUT && kind !== DELETE) throw new RangeError("an operation of an unknown kind");
    const key = reader.lengthPrefixed();
    const value = kind === PUT ? reader.lengthPrefixed() : undefined;
    cells.push({ key, sequence: sequence++, value });
  }
  return cells;
}

/** The cell of a table's entry, whose key has behind it: number of the operation (7), its kind (1). */
export function cellOfEntry(internalKey: Uint8Array, value: Uint8Array): StoredCell {
  const end = internalKey.length - 8;
  const kind = internalKey[end];
  if (end < 0 || (kind !== PUT && kind !== DELETE)) throw new RangeError("a key of an unknown kind");
  const sequence = Math.floor(new ByteReader(internalKey.subarray(end)).uint64() / 256);
  return { key: internalKey.subarray(0, end), sequence, value: kind === PUT ? value : undefined };
}
