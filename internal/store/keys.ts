/**
 * Keys of the message log as bytes, the same in every implementation (docs/design.md, section 5). What stands in
 * the qualifiers of `x` and `r` is the message service's affair: the store keeps them as they come.
 */

import { sha256 } from "../base/sha256.ts";
import type { RowKey } from "./message-store.ts";

/** Bytes of a row key: 2 of SHA-256(thread id), 16 of thread id, 4 of bucket. */
export const ROW_KEY_BYTES = 22;

/** Bytes of a qualifier of `m`: 8 of seq, 8 of tag. */
export const ENTRY_QUALIFIER_BYTES = 16;

const TWO_32 = 2 ** 32;

/**
 * The row's key: first 2 bytes of SHA-256(thread id) | thread id | bucket, big-endian. The hash spreads threads over
 * regions; the bucket last keeps the rows of a thread together, in order. About 1 µs, most of it the hash.
 */
export function rowKey(row: RowKey): Uint8Array {
  const key = new Uint8Array(ROW_KEY_BYTES);
  key.set(sha256(row.threadId, 2));
  key.set(row.threadId, 2);
  writeUint32(key, 18, row.bucket);
  return key;
}

/** Writes the qualifier of an entry, seq (big-endian, so that bytes sort as seqs do) and tag, into `target`. */
export function writeEntryQualifier(target: Uint8Array, at: number, seq: number, tag: Uint8Array): void {
  writeUint64(target, at, seq);
  target.set(tag, at + 8);
}

/** The seq and tag of a qualifier that stands in `bytes` at `at`. The tag shares the bytes. */
export function readEntryQualifier(bytes: Uint8Array, at: number): { seq: number; tag: Uint8Array } {
  return { seq: readUint64(bytes, at), tag: bytes.subarray(at + 8, at + ENTRY_QUALIFIER_BYTES) };
}

/** Writes a number up to 2^53 − 1 as 8 bytes, big-endian. */
export function writeUint64(target: Uint8Array, at: number, value: number): void {
  writeUint32(target, at, Math.floor(value / TWO_32));
  writeUint32(target, at + 4, value % TWO_32);
}

/** Reads 8 bytes, big-endian, as a number. Exact up to 2^53 − 1. */
export function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) * TWO_32 + readUint32(bytes, at + 4);
}

// By hand and not by a DataView: making one costs more than the four stores.
function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function readUint32(bytes: Uint8Array, at: number): number {
  const high = bytes[at] ?? 0;
  const rest = ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  return high * 2 ** 24 + rest;
}
