import { ByteReader } from "./byte-reader.ts";
import { crc32c, crc32cByte, maskCrc } from "./crc32c.ts";
import { unsnap } from "./snappy.ts";

/** A LevelDB table ends with: two block handles, padding to 40 bytes, a magic number of 8. */
const FOOTER_BYTES = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
/** Behind a block: one byte of its compression, a checksum (4) of both. */
const TRAILER_BYTES = 5;
const PLAIN = 0;
const SNAPPY = 1;

/** Where a block stands in its table. */
export interface Handle {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Looks at every checksum of a table (`.ldb`): all blocks of data, the indexes, and that nothing lies between them.
 * LevelDB looks at none of them when it reads. Yields what is wrong, block by block; where the indexes are damaged, that
 * alone.
 */
export function* tableProblems(file: Uint8Array): Generator<string> {
  let handles: readonly Handle[] = [];
  const problem = problemOf(() => {
    const { blocks, frame } = framework(file);
    handles = [...blocks, ...frame];
  });
  if (problem) return yield problem;
  let end = 0;
  for (const block of handles) {
    if (block.offset !== end) yield `nothing names the bytes at ${end}`;
    const wrong = problemOf(() => void readBlock(file, block));
    if (wrong) yield wrong;
    end = endOfBlock(block);
  }
  if (end !== file.length - FOOTER_BYTES) yield `nothing names the bytes at ${end}`;
}

/** The first thing that is wrong with a table, or undefined. The rest of it is not looked at then. */
export function tableProblem(file: Uint8Array): string | undefined {
  for (const problem of tableProblems(file)) return problem;
  return undefined;
}

/**
 * The same of all but the blocks of data: what LevelDB must find its way by. `tail` is the end of the file; too short,
 * it is answered with how many bytes are needed.
 */
export function frameProblem(
  tail: Uint8Array,
  fileBytes: number,
): string | undefined | { readonly needs: number } {
  const start = fileBytes - tail.length;
  let needs = 0;
  const problem = problemOf(() => {
    const { metaIndex } = footerOf(tail);
    // The filter stands right before the metaindex, and the data before it.
    needs = fileBytes - metaIndex.offset;
    if (needs > fileBytes) throw new RangeError("a block is beyond the end");
    if (needs > tail.length) return;
    const { frame } = framework(tail, start);
    const first = frame[0] ?? metaIndex;
    needs = fileBytes - first.offset;
    if (needs > fileBytes) throw new RangeError("a block is beyond the end");
    if (needs > tail.length) return;
    for (const block of frame) readBlock(tail, block, start);
  });
  return problem ?? (needs > tail.length ? { needs } : undefined);
}

/** A block of data by the index: `end` is a key at or after its last one, and before the first of the next block. */
export interface IndexedBlock {
  readonly handle: Handle;
  readonly end: Uint8Array;
}

/** The blocks of data in order, as the index has them. Throws RangeError where footer or index are damaged. */
export function indexOf(file: Uint8Array): IndexedBlock[] {
  const { index } = footerOf(file);
  return blockEntries(readBlock(file, index)).map(({ key, value }) => ({
    end: key,
    handle: handle(new ByteReader(value)),
  }));
}

/** The block that begins at `offset`, found without an index: by the first length at which its checksum is right. */
export function blockWithoutIndex(file: Uint8Array, offset: number, maxBytes: number): Handle | undefined {
  const limit = Math.min(offset + maxBytes, file.length - TRAILER_BYTES + 1);
  let crc = 0;
  for (let end = offset; end < limit; end++) {
    const kind = file[end] ?? 0;
    crc = crc32cByte(crc, kind);
    if (kind !== PLAIN && kind !== SNAPPY) continue;
    const stored = new ByteReader(file.subarray(end + 1, end + TRAILER_BYTES)).uint32();
    if (end > offset && maskCrc(crc) === stored) return { offset, bytes: end - offset };
  }
  return undefined;
}

/** Where the block behind this one begins. */
export function endOfBlock({ offset, bytes }: Handle): number {
  return offset + bytes + TRAILER_BYTES;
}

function problemOf(look: () => void): string | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function footerOf(file: Uint8Array): { readonly metaIndex: Handle; readonly index: Handle } {
  const footer = file.subarray(Math.max(0, file.length - FOOTER_BYTES));
  if (footer.length < FOOTER_BYTES || !MAGIC.equals(footer.subarray(FOOTER_BYTES - 8)))
    throw new RangeError("it has no end");
  const reader = new ByteReader(footer);
  const handles = { metaIndex: handle(reader), index: handle(reader) };
  if (
    !reader
      .rest()
      .subarray(0, -MAGIC.length)
      .every((byte) => byte === 0)
  )
    throw new RangeError("its end is not as it was written");
  return handles;
}

/** The blocks of data, and those by which LevelDB finds its way. `start` is where `file` begins in the whole one. */
function framework(file: Uint8Array, start = 0): { readonly blocks: Handle[]; readonly frame: Handle[] } {
  const { metaIndex, index } = footerOf(file);
  const blocks = handlesOf(readBlock(file, index, start));
  const filters = handlesOf(readBlock(file, metaIndex, start));
  return { blocks, frame: [...filters, metaIndex, index] };
}

function handle(reader: ByteReader): Handle {
  return { offset: reader.varint(), bytes: reader.varint() };
}

/** The plain bytes of a block. Throws RangeError if its checksum is wrong. */
export function readBlock(file: Uint8Array, handle: Handle, start = 0): Uint8Array {
  const offset = handle.offset - start;
  const end = offset + handle.bytes;
  if (end + TRAILER_BYTES > file.length - FOOTER_BYTES) throw new RangeError("a block is beyond the end");
  const stored = new ByteReader(file.subarray(end + 1, end + TRAILER_BYTES)).uint32();
  if (maskCrc(crc32c(file.subarray(offset, end + 1))) !== stored) {
    throw new RangeError(`the checksum of the block at ${handle.offset} is wrong`);
  }
  const block = file.subarray(offset, end);
  if (file[end] === PLAIN) return block;
  if (file[end] === SNAPPY) return unsnap(block);
  throw new RangeError(`the block at ${handle.offset} is compressed in an unknown way`);
}

/** The handles that the entries of an index block hold. */
function handlesOf(block: Uint8Array): Handle[] {
  return blockEntries(block).map(({ value }) => handle(new ByteReader(value)));
}

/**
 * The entries of a block, each: how many bytes its key shares with the one before, own bytes, bytes of the value; own
 * bytes, value. Throws RangeError for what is none.
 */
export function blockEntries(block: Uint8Array): { key: Uint8Array; value: Uint8Array }[] {
  const restarts = new ByteReader(block.subarray(block.length - 4)).uint32();
  const reader = new ByteReader(block.subarray(0, Math.max(0, block.length - 4 - 4 * restarts)));
  const entries: { key: Uint8Array; value: Uint8Array }[] = [];
  let before: Uint8Array = new Uint8Array(0);
  while (!reader.atEnd) {
    const shared = reader.varint();
    const own = reader.varint();
    const valueBytes = reader.varint();
    if (shared > before.length) throw new RangeError("a key shares more than there is");
    const key = new Uint8Array(shared + own);
    key.set(before.subarray(0, shared));
    key.set(reader.bytes(own), shared);
    entries.push({ key, value: reader.bytes(valueBytes) });
    before = key;
  }
  return entries;
}
