import type { VersionedCell } from "../ports.ts";

/** How far one user has got in a thread. */
export interface Positions {
  deliveredSeq: number;
  readSeq: number;
  readOrdinal: number;
}

/** The kinds of receipts, as they stand in qualifiers of family `r`: user, a NUL, kind. */
const DELIVERED = "d";
const READ = "r";

/** The cells that say a user's positions (docs/design.md, section 5): the timestamp is the seq, so the highest stays. */
export function receiptCells(userId: string, positions: Positions): VersionedCell[] {
  const { deliveredSeq, readSeq, readOrdinal } = positions;
  const cells: VersionedCell[] = [];
  if (deliveredSeq > 0) cells.push(cell(userId, DELIVERED, deliveredSeq, 0));
  if (readSeq > 0) cells.push(cell(userId, READ, readSeq, readOrdinal));
  return cells;
}

/** The positions that the cells of a receipts row say, by user. */
export function positionsOf(cells: readonly VersionedCell[]): Map<string, Positions> {
  const users = new Map<string, Positions>();
  for (const { qualifier, value } of cells) {
    const [userId = "", kind] = Buffer.from(qualifier).toString("latin1").split("\0");
    if (kind !== DELIVERED && kind !== READ) continue;
    const positions = users.get(userId) ?? { deliveredSeq: 0, readSeq: 0, readOrdinal: 0 };
    users.set(userId, positions);
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const seq = Number(view.getBigUint64(0));
    if (kind === DELIVERED) positions.deliveredSeq = seq;
    else Object.assign(positions, { readSeq: seq, readOrdinal: Number(view.getBigUint64(8)) });
  }
  return users;
}

function cell(userId: string, kind: string, seq: number, ordinal: number): VersionedCell {
  const value = new Uint8Array(16);
  const view = new DataView(value.buffer);
  view.setBigUint64(0, BigInt(seq));
  view.setBigUint64(8, BigInt(ordinal));
  return { qualifier: Buffer.from(`${userId}\0${kind}`, "latin1"), timestamp: seq, value };
}
