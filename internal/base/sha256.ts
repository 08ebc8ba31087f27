import { hash } from "node:crypto";

/**
 * The first `length` bytes of SHA-256 over bytes, or over a text as UTF-8; 32 are all. By way of a string, because a
 * digest that comes as bytes gets memory of its own outside the heap, which costs more than the hash.
 */
export function sha256(bytes: Uint8Array | string, length: number): Uint8Array {
  const digest = hash("sha256", bytes, "latin1");
  const start = new Uint8Array(length);
  for (let at = 0; at < length; at++) start[at] = digest.charCodeAt(at);
  return start;
}

/** Whether the SHA-256 of bytes begins with `expected`'s, from the one `from` to the one before `to`. */
export function hasSha256(bytes: Uint8Array, expected: Uint8Array, from: number, to: number): boolean {
  const digest = hash("sha256", bytes, "latin1");
  for (let at = from; at < to; at++) if (digest.charCodeAt(at - from) !== expected[at]) return false;
  return true;
}
