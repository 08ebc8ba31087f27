import { fromHex, hex } from "../../../base/ids.ts";
import type { Caller } from "../../../rpc/calls/call.ts";

const HOUR_MS = 3_600_000;

interface Grant {
  readonly userId: string;
  readonly deviceId: string;
  readonly sessionId: Uint8Array;
}

/** A ticket in plain text: signatures are other tests' business, and are made in another thread. */
export function ticketOf({ userId, deviceId, sessionId }: Grant, nowMs: number) {
  return { ticket: `${userId} ${deviceId} ${hex(sessionId)}`, expiresAtMs: nowMs + 600_000 };
}

/** Whose token or ticket this is. */
export function callerOf(credential: string | undefined, nowMs: number): Caller {
  const [userId = "", deviceId, session] = (credential ?? "").split(" ");
  const caller = { userId, expiresAtMs: nowMs + 24 * HOUR_MS, userTokenExpiresAtMs: nowMs + 24 * HOUR_MS };
  if (!deviceId || !session) return caller;
  return { ...caller, deviceId, sessionId: fromHex(session), openByMs: nowMs + 60_000 };
}
