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
