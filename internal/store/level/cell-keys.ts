import { ENTRY_QUALIFIER_BYTES, ROW_KEY_BYTES, writeEntryQualifier } from "../keys.ts";

/**
 * Keys in LevelDB: row key | family letter | qualifier. So a row is one range, its families in the order h, m, r, x,
 * and what HBase keeps in one row is one atomic batch here.
 */

/** Where the family's letter stands in a key. */
export const FAMILY_AT = ROW_KEY_BYTES;
const QUALIFIER_AT = FAMILY_AT + 1;
/** The letters of the families. */
export const LETTER = { h: 0x68, m: 0x6d, r: 0x72, x: 0x78 } as const;

/** Bytes of the key of an entry. */
export const ENTRY_KEY_BYTES = QUALIFIER_AT + ENTRY_QUALIFIER_BYTES;

/** The key of `h:head`; no qualifier, for the family has one cell. */
export function headKey(row: Uint8Array): Buffer {
  return familyKey(row, LETTER.h, 0);
}

/** The key of an entry. */
export function entryKey(row: Uint8Array, seq: number, tag: Uint8Array): Buffer {
  const key = familyKey(row, LETTER.m, ENTRY_QUALIFIER_BYTES);
  writeEntryQualifier(key, QUALIFIER_AT, seq, tag);
  return key;
}

/** The key of a cell of `x` or `r`. */
export function cellKey(row: Uint8Array, family: "x" | "r", qualifier: Uint8Array): Buffer {
  const key = familyKey(row, LETTER[family], qualifier.length);
  key.set(qualifier, QUALIFIER_AT);
  return key;
}

/** The keys of the entries with fromSeq ≤ seq ≤ toSeq, whatever their tags. */
export function entryRange(row: Uint8Array, fromSeq: number, toSeq: number): { gte: Buffer; lt: Buffer } {
  return { gte: entryKey(row, fromSeq, LOWEST_TAG), lt: entryKey(row, toSeq + 1, LOWEST_TAG) };
}

/** The keys of a family of a row: of all its cells, or of those whose qualifiers begin with `prefix`. */
export function familyRange(
  row: Uint8Array,
  family: "x" | "r",
  prefix: Uint8Array = new Uint8Array(0),
): { gte: Buffer; lt: Buffer } {
  const gte = cellKey(row, family, prefix);
  const lt = Buffer.from(gte);
  // The lowest key above all that begin like that: the last byte that can be raised is, and what follows it is cut off.
  let end = lt.length;
  while (lt[end - 1] === 0xff) end -= 1;
  lt.writeUInt8(lt.readUInt8(end - 1) + 1, end - 1);
  return { gte, lt: lt.subarray(0, end) };
}

/** Where the qualifier stands in a key. */
export function qualifierOf(key: Uint8Array): Uint8Array {
  return key.subarray(QUALIFIER_AT);
}

const LOWEST_TAG = new Uint8Array(8);

function familyKey(row: Uint8Array, letter: number, qualifierBytes: number): Buffer {
  const key = Buffer.allocUnsafe(QUALIFIER_AT + qualifierBytes);
  key.set(row, 0);
  key[ROW_KEY_BYTES] = letter;
  return key;
}
