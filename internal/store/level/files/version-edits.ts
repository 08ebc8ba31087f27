import { ByteReader } from "./byte-reader.ts";

/** What a MANIFEST says a LevelDB folder consists of. */
export interface Version {
  /** The oldest write-ahead log that is not yet in tables. 0: none was made. */
  readonly logNumber: number;
  /** A log that is read as well, though it is older; 0: none. */
  readonly previousLogNumber: number;
  /** The number of the last operation when the MANIFEST was written. */
  readonly lastSequence: number;
  /** Bytes of each table, by file number. */
  readonly tables: ReadonlyMap<number, number>;
}

/** The kinds of a version edit's fields. */
const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const;

/** Puts the edits of a MANIFEST, its records in order, together. Throws RangeError for what is no edit. */
export function readVersion(edits: Iterable<Uint8Array>): Version {
  const version = { logNumber: 0, previousLogNumber: 0, lastSequence: 0, tables: new Map<number, number>() };
  for (const edit of edits) {
    const gone = new Set<number>();
    const come = new Map<number, number>();
    for (const reader = new ByteReader(edit); !reader.atEnd; ) {
      switch (reader.varint()) {
        case TAG.comparator:
          reader.lengthPrefixed();
          break;
        case TAG.logNumber:
          version.logNumber = reader.varint();
          break;
        case TAG.previousLogNumber:
          version.previousLogNumber = reader.varint();
          break;
        case TAG.nextFileNumber:
          reader.varint();
          break;
        case TAG.lastSequence:
          version.lastSequence = reader.varint();
          break;
        case TAG.compactPointer:
          reader.varint();
          reader.lengthPrefixed();
          break;
        case TAG.deletedFile:
          reader.varint();
          gone.add(reader.varint());
          break;
        case TAG.newFile: {
          reader.varint();
          come.set(reader.varint(), reader.varint());
          reader.lengthPrefixed();
          reader.lengthPrefixed();
          break;
        }
        default:
          throw new RangeError("a version edit has an unknown field");
      }
    }
    // In this order: a table that moves to another level is deleted from the one and new in the other.
    for (const number of gone) version.tables.delete(number);
    for (const [number, bytes] of come) version.tables.set(number, bytes);
  }
  return version;
}
