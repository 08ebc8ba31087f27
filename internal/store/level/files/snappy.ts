import { ByteReader } from "./byte-reader.ts";

/** A block is 4 KiB before compression, an entry more: what claims to be larger than this is no block. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Undoes Snappy compression (its raw format). Only index blocks are read so, which are small: speed is no matter.
 * Throws RangeError for what is none.
 */
export function unsnap(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes);
  const length = reader.varint();
  if (length > MAX_BYTES) throw new RangeError("a compressed block is too long");
  const plain = new Uint8Array(length);
  let at = 0;
  while (!reader.atEnd) {
    const tag = reader.bytes(1)[0] ?? 0;
    if ((tag & 3) === 0) {
      const literal = reader.bytes(literalBytes(tag >>> 2, reader));
      if (at + literal.length > length) throw new RangeError("a compressed block is longer than it says");
      plain.set(literal, at);
      at += literal.length;
      continue;
    }
    const { count, offset } = copyOf(tag, reader);
    if (offset === 0 || offset > at || at + count > length)
      throw new RangeError("a compressed block is none");
    for (const end = at + count; at < end; at++) plain[at] = plain[at - offset] ?? 0; // May overlap itself.
  }
  if (at !== length) throw new RangeError("a compressed block is shorter than it says");
  return plain;
}

/** Up to 60 bytes the tag says it; beyond, 1–4 bytes behind it do. */
function literalBytes(code: number, reader: ByteReader): number {
  return 1 + (code < 60 ? code : little(reader.bytes(code - 59)));
}

function copyOf(tag: number, reader: ByteReader): { count: number; offset: number } {
  if ((tag & 3) === 1) {
    return { count: 4 + ((tag >>> 2) & 7), offset: (tag >>> 5) * 256 + little(reader.bytes(1)) };
  }
  return { count: 1 + (tag >>> 2), offset: little(reader.bytes((tag & 3) === 2 ? 2 : 4)) };
}

function little(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
