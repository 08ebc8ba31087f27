import { readUint64, writeUint64 } from "../keys.ts";

/** A cell of `x` or `r` as LevelDB keeps it: timestamp (8, big-endian) | value. LevelDB has no timestamps of its own. */
export function encodeVersioned(timestamp: number, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(8 + value.length);
  writeUint64(bytes, 0, timestamp);
  bytes.set(value, 8);
  return bytes;
}

/** The timestamp of what encodeVersioned made. */
export function readTimestamp(bytes: Uint8Array): number {
  return readUint64(bytes, 0);
}

/** The value of what encodeVersioned made; shares its bytes. */
export function readValue(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(8);
}
