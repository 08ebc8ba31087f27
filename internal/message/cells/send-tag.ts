import { USER_ID_BYTES } from "../../base/ids.ts";
import { sha256 } from "./sha256.ts";

/** Where sender, NUL and client_id stand side by side to be hashed. For the length of one call. */
const joined = Buffer.alloc(USER_ID_BYTES + 1 + 16);

/**
 * The 8 bytes that stand for a send in the qualifiers of family `m`: of SHA-256 over sender, a NUL (which no user_id
 * contains) and client_id. Short, so that keys are; the cell says for certain.
 */
export function sendTag(sender: string, clientId: Uint8Array): Uint8Array {
  const end = joined.write(sender, "latin1");
  joined[end] = 0;
  joined.set(clientId, end + 1);
  return sha256(joined.subarray(0, end + 1 + clientId.length), 8);
}

/**
 * A tag as a map key: 30 of its bits, which fit into a small integer, so that a key costs neither memory nor hashing.
 * Among the keys of a cache two tags are hardly ever equal in them, and then the cell decides, as for equal tags.
 */
export function tagKey(tag: Uint8Array): number {
  return (wordAt(tag, 0) ^ wordAt(tag, 4)) & 0x3fffffff;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
