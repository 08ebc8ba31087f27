import { ByteReader } from "./byte-reader.ts";
import { crc32c, maskCrc } from "./crc32c.ts";
import { unsnap } from "./snappy.ts";

/** A LevelDB table ends with: two block handles, padding to 40 bytes, a magic number of 8. */
const FOOTER_BYTES = 48;
const MAGIC = Buffer.from("57fb808b247547db", "hex");
/** Behind a block: one byte of its compression, a checksum (4) of both. */
const TRAILER_BYTES = 5;
const PLAIN = 0;
const SNAPPY = 1;

interface Handle {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Looks at every checksum of a table (`.ldb`): all blocks of data, the indexes, and that nothing lies between them.
 * LevelDB looks at none of them when it reads. Returns what is wrong, or undefined.
 */
export function tableProblem(file: Uint8Array): string | undefined {
  try {
    const footer = file.subarray(file.length - FOOTER_BYTES);
    if (file.length < FOOTER_BYTES || !MAGIC.equals(footer.subarray(FOOTER_BYTES - 8)))
      return "it has no end";
    const reader = new ByteReader(footer);
    const metaIndex = handle(reader);
    const index = handle(reader);
    const blocks = handlesOf(readBlock(file, index));
    const filters = handlesOf(readBlock(file, metaIndex));
    let end = 0;
    for (const block of [...blocks, ...filters, metaIndex, index]) {
      if (block.offset !== end) return `nothing names the bytes at ${end}`;
      readBlock(file, block);
      end = block.offset + block.bytes + TRAILER_BYTES;
    }
    return end === file.length - FOOTER_BYTES ? undefined : `nothing names the bytes at ${end}`;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function handle(reader: ByteReader): Handle {
  return { offset: reader.varint(), bytes: reader.varint() };
}

/** The plain bytes of a block. Throws RangeError if its checksum is wrong. */
function readBlock(file: Uint8Array, { offset, bytes }: Handle): Uint8Array {
  const end = offset + bytes;
  if (end + TRAILER_BYTES > file.length - FOOTER_BYTES) throw new RangeError("a block is beyond the end");
  const stored = new ByteReader(file.subarray(end + 1, end + TRAILER_BYTES)).uint32();
  if (maskCrc(crc32c(file.subarray(offset, end + 1))) !== stored) {
    throw new RangeError(`the checksum of the block at ${offset} is wrong`);
  }
  const block = file.subarray(offset, end);
  if (file[end] === PLAIN) return block;
  if (file[end] === SNAPPY) return unsnap(block);
  throw new RangeError(`the block at ${offset} is compressed in an unknown way`);
}

/** The handles that the entries of an index block hold: shared length, own length, value length, key, value. */
function handlesOf(block: Uint8Array): Handle[] {
  const restarts = new ByteReader(block.subarray(block.length - 4)).uint32();
  const entries = new ByteReader(block.subarray(0, block.length - 4 - 4 * restarts));
  const handles: Handle[] = [];
  while (!entries.atEnd) {
    entries.varint();
    const keyBytes = entries.varint();
    const valueBytes = entries.varint();
    entries.bytes(keyBytes);
    handles.push(handle(new ByteReader(entries.bytes(valueBytes))));
  }
  return handles;
}
