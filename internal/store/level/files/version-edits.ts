import { ByteReader } from "./byte-reader.ts";

/** A table as the MANIFEST has it: its size, and its first and last key with LevelDB's 8 bytes behind. */
export interface TableNote {
  readonly bytes: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** What a MANIFEST says a LevelDB folder consists of. */
export interface Version {
  /** The oldest write-ahead log that is not yet in tables. 0: none was made. */
  readonly logNumber: number;
  /** A log that is read as well, though it is older; 0: none. */
  readonly previousLogNumber: number;
  /** The number of the last operation when the MANIFEST was written. */
  readonly lastSequence: number;
  /** The tables that hold the data, by file number. */
  readonly tables: ReadonlyMap<number, TableNote>;
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
  const version = {
    logNumber: 0,
    previousLogNumber: 0,
    lastSequence: 0,
    tables: new Map<number, TableNote>(),
  };
  for (const edit of edits) {
    const gone = new Set<number>();
    const come = new Map<number, TableNote>();
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
          const number = reader.varint();
          come.set(number, {
            bytes: reader.varint(),
            smallest: reader.lengthPrefixed(),
            largest: reader.lengthPrefixed(),
          });
          break;
        }
        default:
          throw new RangeError("a version edit has an unknown field");
      }
    }
    // In this order: a table that moves to another level is deleted from the one and new in the other.
    for (const number of gone) version.tables.delete(number);
    for (const [number, note] of come) version.tables.set(number, note);
  }
  return version;
}
