import { createHash, randomBytes } from "node:crypto";
import { equalBytes } from "./ids.ts";

const TAG_BYTES = 4;

/**
 * A new session's id, 16 bytes: 4 bytes of SHA-256 of the push server's name, 4 of the device's id, 8 random ones.
 * So a gateway, which keeps nothing, can tell from the id of a session where it is and which device it belongs to
 * (RenewTicket), and needs only compare the tags with the few names that it may be. What it signs then is a ticket
 * for the caller's own user in any case.
 */
export function newSessionId(pushServer: string, deviceId: string): Uint8Array {
  return new Uint8Array(Buffer.concat([tag(pushServer), tag(deviceId), randomBytes(8)]));
}

/** Whether the session is on the push server of that name. */
export function isOnPushServer(sessionId: Uint8Array, pushServer: string): boolean {
  return equalBytes(sessionId.subarray(0, TAG_BYTES), tag(pushServer));
}

/** Whether the session is the device's. */
export function isOfDevice(sessionId: Uint8Array, deviceId: string): boolean {
  return equalBytes(sessionId.subarray(TAG_BYTES, 2 * TAG_BYTES), tag(deviceId));
}

function tag(name: string): Uint8Array {
  return createHash("sha256").update(name).digest().subarray(0, TAG_BYTES);
}
