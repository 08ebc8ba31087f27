import { ByteReader } from "./byte-reader.ts";

/** A block is 4 KiB before compression, an entry more: what claims to be larger than this is no block. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Undoes Snappy compression (its raw format). By plain indexes and without an object a tag: a look at a whole log undoes
 * all of it. Throws RangeError for what is none.
 */
export function unsnap(bytes: Uint8Array): Uint8Array {
  const header = new ByteReader(bytes);
  const length = header.varint();
  if (length > MAX_BYTES) throw new RangeError("a compressed block is too long");
  const plain = new Uint8Array(length);
  let from = bytes.length - header.rest().length;
  let at = 0;
  while (from < bytes.length) {
    const tag = byteAt(bytes, from++);
    if ((tag & 3) === 0) {
      // Up to 60 bytes the tag says it; beyond, 1–4 bytes behind it do.
      const code = tag >>> 2;
      const count = 1 + (code < 60 ? code : little(bytes, from, code - 59));
      if (code >= 60) from += code - 59;
      if (from + count > bytes.length || at + count > length)
        throw new RangeError("a compressed block is longer than it says");
      plain.set(bytes.subarray(from, from + count), at);
      from += count;
      at += count;
      continue;
    }
    const isShort = (tag & 3) === 1;
    const offsetBytes = isShort ? 1 : (tag & 3) === 2 ? 2 : 4;
    const offset = (isShort ? (tag >>> 5) * 256 : 0) + little(bytes, from, offsetBytes);
    const count = isShort ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    from += offsetBytes;
    if (offset === 0 || offset > at || at + count > length)
      throw new RangeError("a compressed block is none");
    for (const end = at + count; at < end; at++) plain[at] = byteAt(plain, at - offset); // May overlap itself.
  }
  if (at !== length) throw new RangeError("a compressed block is shorter than it says");
  return plain;
}

/** A little-endian number of up to 4 bytes. */
function little(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new RangeError("a compressed block ends early");
  let value = 0;
  for (let nth = count - 1; nth >= 0; nth--) value = value * 256 + byteAt(bytes, at + nth);
  return value;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
