import {
  blockEntries,
  blockWithoutIndex,
  endOfBlock,
  type Handle,
  type IndexedBlock,
  indexOf,
  readBlock,
} from "../files/table-file.ts";
import { cellOfEntry, type StoredCell } from "./write-batch.ts";

/** Keys between which something cannot be read; undefined where there is no bound. */
export interface LostRange {
  readonly after: Uint8Array | undefined;
  readonly upTo: Uint8Array | undefined;
}

export interface TableCells {
  /** In order of their keys, of one key the newest first. */
  readonly cells: readonly StoredCell[];
  readonly lost: readonly LostRange[];
}

/** No block is larger: they are 4 KiB, and one entry more. */
const MAX_BLOCK_BYTES = 256 * 1024;

/** The same where a block may begin at any byte: a search behind damage is to end in seconds. */
const MAX_SOUGHT_BYTES = 16 * 1024;

/** All that can be read of a table: the good blocks, by its index or, where that is damaged, without. */
export function tableCells(file: Uint8Array): TableCells {
  const index = indexIfWell(file);
  return index ? byIndex(file, index) : withoutIndex(file);
}

function indexIfWell(file: Uint8Array): IndexedBlock[] | undefined {
  try {
    return indexOf(file);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function byIndex(file: Uint8Array, index: readonly IndexedBlock[]): TableCells {
  const cells: StoredCell[] = [];
  const lost: LostRange[] = [];
  let after: Uint8Array | undefined;
  for (const { handle, end } of index) {
    const upTo = end.subarray(0, -8);
    const found = cellsOf(file, handle);
    if (found) cells.push(...found);
    else lost.push({ after, upTo });
    after = upTo;
  }
  return { cells, lost };
}

/** Blocks of data stand at the beginning, one after the other, in order of their keys; filters and indexes follow. */
function withoutIndex(file: Uint8Array): TableCells {
  const cells: StoredCell[] = [];
  const lost: LostRange[] = [];
  let isLost = false;
  let at = 0;
  while (at < file.length) {
    const handle = blockWithoutIndex(file, at, isLost ? MAX_SOUGHT_BYTES : MAX_BLOCK_BYTES);
    if (!handle) {
      isLost = true;
      at += 1;
      continue;
    }
    const found = cellsOf(file, handle);
    const [first] = found ?? [];
    const last = cells.at(-1);
    if (!found || !first || (last && Buffer.compare(first.key, last.key) < 0)) break;
    if (isLost) lost.push({ after: last?.key, upTo: first.key });
    isLost = false;
    cells.push(...found);
    at = endOfBlock(handle);
  }
  if (isLost) lost.push({ after: cells.at(-1)?.key, upTo: undefined });
  return { cells, lost };
}

function cellsOf(file: Uint8Array, handle: Handle): StoredCell[] | undefined {
  try {
    return blockEntries(readBlock(file, handle)).map(({ key, value }) => cellOfEntry(key, value));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
