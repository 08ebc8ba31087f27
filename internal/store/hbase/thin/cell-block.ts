import type { Cell } from "../wall/driver.ts";

/** A cell and the row it is of. */
export interface RowCell extends Cell {
  readonly row: Uint8Array;
}

/** How a server sends cells beside an answer: HBase's KeyValueCodec, without compression. */
export const CELL_CODEC = "org.apache.hadoop.hbase.codec.KeyValueCodec";

/** Lengths of row, family, timestamp and type within a key. */
const KEY_OVERHEAD_BYTES = 12;

/**
 * Reads cells, each: length (4), key length (4), value length (4), row length (2), row, family length (1), family,
 * qualifier, timestamp (8), type (1), value. Bytes are views. Throws RangeError where they are cut off.
 */
export function readCellBlock(block: Buffer): RowCell[] {
  const cells: RowCell[] = [];
  for (let at = 0; at < block.length; ) {
    const next = at + 4 + block.readUInt32BE(at);
    const keyBytes = block.readUInt32BE(at + 4);
    const valueBytes = block.readUInt32BE(at + 8);
    const row = at + 14;
    const rowBytes = block.readUInt16BE(at + 12);
    const family = row + rowBytes + 1;
    const familyBytes = block.readUInt8(family - 1);
    const qualifier = family + familyBytes;
    const timestamp = qualifier + keyBytes - rowBytes - familyBytes - KEY_OVERHEAD_BYTES;
    const value = timestamp + 9;
    if (next > block.length || timestamp < qualifier || value + valueBytes > next)
      throw new RangeError("a cell is cut off");
    cells.push({
      row: block.subarray(row, row + rowBytes),
      family: block.toString("latin1", family, qualifier),
      qualifier: block.subarray(qualifier, timestamp),
      timestamp: block.readUInt32BE(timestamp) * 2 ** 32 + block.readUInt32BE(timestamp + 4),
      value: block.subarray(value, value + valueBytes),
    });
    at = next;
  }
  return cells;
}
