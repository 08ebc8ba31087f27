import { createHash, randomBytes } from "node:crypto";
import { equalBytes } from "./ids.ts";

const TAG_BYTES = 4;

/**
 * A new session's id, 16 bytes: 4 bytes of SHA-256 of the push server's name, 4 of the user's and the device's id, 8
 * random ones. So a gateway, which keeps nothing, can tell from the id of a session where it is and which device of
 * which user it belongs to (RenewTicket), and needs only compare the tags with the few names that it may be. Without the
 * user a ticket for the id of somebody else's session, on a device of the same name, would take that one's place.
 */
export function newSessionId(pushServer: string, userId: string, deviceId: string): Uint8Array {
  return new Uint8Array(Buffer.concat([tag(pushServer), tag(nameOf(userId, deviceId)), randomBytes(8)]));
}

/** Whether the session is on the push server of that name. */
export function isOnPushServer(sessionId: Uint8Array, pushServer: string): boolean {
  return equalBytes(sessionId.subarray(0, TAG_BYTES), tag(pushServer));
}

/** Whether the session is that device of the user's. */
export function isOfDevice(sessionId: Uint8Array, userId: string, deviceId: string): boolean {
  return equalBytes(sessionId.subarray(TAG_BYTES, 2 * TAG_BYTES), tag(nameOf(userId, deviceId)));
}

function nameOf(userId: string, deviceId: string): string {
  return `${userId}\0${deviceId}`;
}

function tag(name: string): Uint8Array {
  return createHash("sha256").update(name).digest().subarray(0, TAG_BYTES);
}
