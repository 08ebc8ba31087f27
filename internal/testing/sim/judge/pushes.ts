import type { Seen } from "./history.ts";
import { SETTLED_MS } from "./presences.ts";
import { Whereabouts } from "./whereabouts.ts";

/** One who came or went so long ago is known everywhere to be there, or not, in ms. */
const KNOWN_MS = 45_000;

/** After a device was signed out its streams are closed within this: promise of section 4, and what the network takes, in ms. */
const CLOSED_MS = 5_000 + 1_000;

/** A stream holds at most so many events that its client has not acknowledged: those that need credit, and those that do not. */
const MOST_UNACKNOWLEDGED = 256 + 256;

/** What is sent is on every screen within this while the servers are well, however slowly others read, in ms. */
const PROMPT_MS = 5_000;

/**
 * Nobody who is offline is pushed to, and a hand-off knows who is; a stream is bounded, and one slow reader costs the others
 * nothing.
 */
export function* pushBreaches(history: readonly Seen[]): Iterable<string> {
  const where = new Whereabouts(history);
  const signedOut = new Map<string, number>();
  const sent = new Map<string, number>();
  for (const seen of history) {
    const { atMs, device } = seen;
    where.read(seen);
    const isQuiet = where.quietSinceMs <= atMs - SETTLED_MS;
    const closedMs = signedOut.get(device);
    if (closedMs !== undefined && isTold(seen) && atMs > closedMs + (isQuiet ? CLOSED_MS : SETTLED_MS))
      yield `8: ${device} was told of ${seen.type} at ${atMs}, and was signed out at ${closedMs}`;
    if (seen.type === "change" && seen.what === "sign out" && seen.state === "answered")
      signedOut.set(seen.about, atMs);
    else if (seen.type === "stream" && seen.unacknowledged > MOST_UNACKNOWLEDGED)
      yield `10: ${device} had ${seen.unacknowledged} events that it had not acknowledged`;
    else if (seen.type === "sent") {
      sent.set(`${seen.thread}/${seen.seq}`, atMs);
      if (isQuiet) yield* handOffBreaches(seen, where);
    } else if (seen.type === "entry" && isQuiet) {
      const sentMs = sent.get(`${seen.thread}/${seen.entry.seq}`) ?? atMs;
      const liveMs = where.liveSinceMs(device) ?? Number.POSITIVE_INFINITY;
      if (
        sentMs < atMs - PROMPT_MS &&
        liveMs <= sentMs - PROMPT_MS &&
        where.quietSinceMs <= sentMs - SETTLED_MS
      )
        yield `10: ${device} was given ${seen.thread}/${seen.entry.seq} ${atMs - sentMs} ms after it was sent`;
    }
  }
}

/** Only an exact hand-off says who is offline, and it is right: a user it does not name is held by a push server. */
function* handOffBreaches(
  { device, text, to, isOffline, atMs }: Extract<Seen, { type: "sent" }>,
  where: Whereabouts,
): Iterable<string> {
  if (to === undefined || isOffline === undefined) return;
  const goneMs = where.goneSinceMs(to) ?? Number.POSITIVE_INFINITY;
  const thereMs = where.thereSinceMs(to) ?? Number.POSITIVE_INFINITY;
  if (!isOffline && goneMs <= atMs - KNOWN_MS)
    yield `8: ${text} of ${device} was pushed to ${to}, who has had no session since ${goneMs}`;
  if (isOffline && thereMs <= atMs - KNOWN_MS)
    yield `8: ${text} of ${device} was pushed to nobody, and ${to} is there since ${thereMs}`;
}

function isTold({ type }: Seen): boolean {
  return type === "entry" || type === "presence" || type === "receipt" || type === "typing";
}
