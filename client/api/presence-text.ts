import type { Presence } from "../model/model.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, in one unit, rounded down: `5 min`, `3 h`, `2 d`; "" within the first minute, or in the future. */
export function agoText(atMs: number, nowMs: number): string {
  const ms = nowMs - atMs;
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} d`;
  if (ms >= HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return ms >= MINUTE_MS ? `${Math.floor(ms / MINUTE_MS)} min` : "";
}

/** A presence in English words: `online`, `last seen 5 min ago`, `offline`; "" where it is not known. */
export function presenceText(presence: Presence | undefined, nowMs: number): string {
  if (presence?.lastSeenAtMs === undefined) return presence?.status ?? "";
  const ago = agoText(presence.lastSeenAtMs, nowMs);
  return `last seen ${ago ? `${ago} ago` : "just now"}`;
}
