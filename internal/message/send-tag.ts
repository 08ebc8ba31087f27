import { createHash } from "node:crypto";

/**
 * The 8 bytes that stand for a send in the qualifiers of family `m`: of SHA-256 over sender, a NUL (which no user_id
 * contains) and client_id. Short, so that keys are; the cell says for certain.
 */
export function sendTag(sender: string, clientId: Uint8Array): Uint8Array {
  return createHash("sha256").update(`${sender}\0`).update(clientId).digest().subarray(0, 8);
}
