import type { VersionedCell } from "../ports.ts";

/** How far one user has got in a thread. */
export interface Positions {
  deliveredSeq: number;
  readSeq: number;
  readOrdinal: number;
}

/** The messages of a user's own above its read position, of its last stay in a group: they are no news to it. */
export interface Own {
  /** The read position that `count` goes with. */
  readSeq: number;
  /** Of the last message of its own that was counted; 0 for none. */
  lastSeq: number;
  /** How many of them are above the read position. */
  count: number;
}

/** Up to where all messages of a thread have been counted to their senders. */
export interface Counted {
  readonly seq: number;
  readonly ordinal: number;
}

/** The kinds of receipts, as they stand in qualifiers of family `r`: user, a NUL, kind. */
const DELIVERED = "d";
const READ = "r";
const OWN = "o";
/** Of nobody: of the thread. */
const COUNTED = "c";

/** The cells that say a user's positions (docs/design.md, section 5): the timestamp is the seq, so the highest stays. */
export function receiptCells(userId: string, positions: Positions): VersionedCell[] {
  const { deliveredSeq, readSeq, readOrdinal } = positions;
  const cells: VersionedCell[] = [];
  if (deliveredSeq > 0) cells.push(cell(userId, DELIVERED, deliveredSeq, 0));
  if (readSeq > 0) cells.push(cell(userId, READ, readSeq, readOrdinal));
  return cells;
}

/** The cell that says how many messages of a user's own are above its read position. */
export function ownCell(userId: string, { readSeq, lastSeq, count }: Own): VersionedCell {
  return numbersCell(userId, OWN, lastSeq, [lastSeq, count, readSeq]);
}

/** The cell that says up to where these counts are complete. */
export function countedCell({ seq, ordinal }: Counted): VersionedCell {
  return numbersCell("", COUNTED, seq, [seq, ordinal]);
}

/** The same as the cells say it; `counted` undefined where nothing was ever counted. */
export function ownCountsOf(cells: readonly VersionedCell[]): {
  readonly own: ReadonlyMap<string, Own>;
  readonly counted: Counted | undefined;
} {
  const own = new Map<string, Own>();
  let counted: Counted | undefined;
  for (const { qualifier, value } of cells) {
    const [userId = "", kind] = namesOf(qualifier);
    const [first = 0, second = 0, third = 0] = numbersOf(value);
    if (kind === OWN) own.set(userId, { lastSeq: first, count: second, readSeq: third });
    else if (kind === COUNTED) counted = { seq: first, ordinal: second };
  }
  return { own, counted };
}

/** The first bytes of the qualifiers of all cells of a user. */
export function cellsOfUser(userId: string): Uint8Array {
  return Buffer.from(`${userId}\0`, "latin1");
}

/** The positions that the cells of a receipts row say, by user. */
export function positionsOf(cells: readonly VersionedCell[]): Map<string, Positions> {
  const users = new Map<string, Positions>();
  for (const { qualifier, value } of cells) {
    const [userId = "", kind] = namesOf(qualifier);
    if (kind !== DELIVERED && kind !== READ) continue;
    const positions = users.get(userId) ?? { deliveredSeq: 0, readSeq: 0, readOrdinal: 0 };
    users.set(userId, positions);
    const [seq = 0, ordinal = 0] = numbersOf(value);
    if (kind === DELIVERED) positions.deliveredSeq = seq;
    else Object.assign(positions, { readSeq: seq, readOrdinal: ordinal });
  }
  return users;
}

function cell(userId: string, kind: string, seq: number, ordinal: number): VersionedCell {
  return numbersCell(userId, kind, seq, [seq, ordinal]);
}

function numbersCell(
  userId: string,
  kind: string,
  timestamp: number,
  numbers: readonly number[],
): VersionedCell {
  const value = new Uint8Array(8 * numbers.length);
  const view = new DataView(value.buffer);
  numbers.forEach((number, at) => {
    view.setBigUint64(8 * at, BigInt(number));
  });
  return { qualifier: Buffer.from(`${userId}\0${kind}`, "latin1"), timestamp, value };
}

function numbersOf(value: Uint8Array): readonly number[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.length >> 3 }, (_, at) => Number(view.getBigUint64(8 * at)));
}

function namesOf(qualifier: Uint8Array): readonly string[] {
  return Buffer.from(qualifier).toString("latin1").split("\0");
}
