import { sha256 } from "./sha256.ts";

/** Where sender, NUL and client_id stand side by side to be hashed: 64, 1 and 16 bytes. For the length of one call. */
const joined = Buffer.alloc(64 + 1 + 16);

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
