import { Fields } from "./protobuf-fields.ts";

/** What a server leaves out of a row: the name of a Java class, and its fields. */
export interface Filter {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const PACKAGE = "org.apache.hadoop.hbase.filter";
const EQUAL = 2;
const MUST_PASS = { all: 1, one: 2 } as const;

/** Cells whose qualifier is at least `from` and below `below`; without that, all from there. */
export function columnRange(from: Uint8Array, below: Uint8Array | undefined): Filter {
  const fields = new Fields().bytes(1, from).number(2, true);
  if (below) fields.bytes(3, below).number(4, false);
  return { name: `${PACKAGE}.ColumnRangeFilter`, bytes: fields.finish() };
}

/** Cells whose qualifier begins so. */
export function columnPrefix(prefix: Uint8Array): Filter {
  return { name: `${PACKAGE}.ColumnPrefixFilter`, bytes: new Fields().bytes(1, prefix).finish() };
}

/** Values come back empty. */
export const KEYS_ONLY: Filter = {
  name: `${PACKAGE}.KeyOnlyFilter`,
  bytes: new Fields().number(1, false).finish(),
};

/** Cells of one family: a range of columns alone would be asked of every family that is read. */
export function ofFamily(family: string): Filter {
  const name = new TextEncoder().encode(family);
  const bytes = new Fields().message(1, (compare) =>
    compare.number(1, EQUAL).message(2, (comparator) => {
      comparator.text(1, BINARY_COMPARATOR).bytes(2, binaryComparator(name));
    }),
  );
  return { name: `${PACKAGE}.FamilyFilter`, bytes: bytes.finish() };
}

/** Cells that pass all of the filters, or one of them. One filter alone stays as it is. */
export function passing(which: "all" | "one", filters: readonly Filter[]): Filter {
  const [first] = filters;
  if (first && filters.length === 1) return first;
  const list = new Fields().number(1, MUST_PASS[which]);
  for (const { name, bytes } of filters) list.message(2, (one) => one.text(1, name).bytes(2, bytes));
  return { name: `${PACKAGE}.FilterList`, bytes: list.finish() };
}

/** What compares bytes with bytes. Of no bytes: with an absent cell too. */
export const BINARY_COMPARATOR = `${PACKAGE}.BinaryComparator`;

/** Its fields, for bytes of any length. */
export function binaryComparator(expected: Uint8Array): Uint8Array {
  return new Fields().message(1, (comparable) => comparable.bytes(1, expected)).finish();
}
