import type { Seen } from "./history.ts";

/** A send that was written on a connected device, of which nothing but its servers ailed, while sends could be taken. */
export interface Stall {
  readonly device: string;
  readonly text: string;
  readonly atMs: number;
  readonly forMs: number;
}

/** The program is over. */
const ENDED = /^(crashed|signed-out)$/;

/** How long each send took that nothing of its own device or of the stores held up, the longest first. */
export function stallsOf(history: readonly Seen[]): Stall[] {
  const stalls: Stall[] = [];
  const open = new Map<string, Map<string, number>>();
  const live = new Set<string>();
  const ailsUntilMs = new Map<string, number>();
  let serve = true;
  for (const seen of history) {
    const { atMs, device } = seen;
    const own = open.get(device) ?? new Map<string, number>();
    open.set(device, own);
    if (seen.type === "begin" || (seen.type === "phase" && ENDED.test(seen.phase))) {
      live.delete(device);
      own.clear();
    } else if (seen.type === "phase") {
      // What was written before goes on waiting: that its server went is no excuse.
      if (seen.phase === "live") live.add(device);
      else live.delete(device);
    } else if (seen.type === "trouble") {
      ailsUntilMs.set(device, atMs + seen.forMs);
      own.clear();
    } else if (seen.type === "stores") {
      serve = seen.serve;
      for (const sends of open.values()) sends.clear();
    } else if (seen.type === "write" && serve && live.has(device) && (ailsUntilMs.get(device) ?? 0) <= atMs)
      own.set(seen.text, atMs);
    else if (seen.type === "sent" || seen.type === "failed") {
      const since = own.get(seen.text);
      own.delete(seen.text);
      if (since !== undefined) stalls.push({ device, text: seen.text, atMs: since, forMs: atMs - since });
    }
  }
  return stalls.sort((a, b) => b.forMs - a.forMs);
}
