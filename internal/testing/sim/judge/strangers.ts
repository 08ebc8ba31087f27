import { movesOf, type Seen, type SeenEntry } from "./history.ts";
import type { Sight } from "./sight.ts";

/** Nobody holds or is told what is not for it: entries of others' threads, or of a group before and after a stay. */
export function* strangerBreaches(history: readonly Seen[], sight: Sight): Iterable<string> {
  const logs = logsOf(history);
  const stays = new Map(
    [...logs].map(([thread, log]) => [thread, isGroup(thread) ? staysOf(log) : undefined]),
  );
  for (const seen of history) {
    const { user, device } = seen;
    if (seen.type === "typing" && !isGroup(seen.thread) && seen.thread !== sight.threadOf(user, seen.of))
      yield `6: ${device} was told that ${seen.of} types in ${seen.thread}`;
    if (seen.type !== "entry" && seen.type !== "end") continue;
    for (const { seq, from } of seen.type === "entry" ? [seen.entry] : seen.entries) {
      const isOurs = isGroup(seen.thread)
        ? (stays.get(seen.thread)?.(user, seq) ?? true)
        : from === user || from === "" || seen.thread === sight.threadOf(user, from);
      if (!isOurs) yield `6: ${device} saw ${seen.thread}/${seq}, and is a stranger to it`;
    }
  }
}

/** The lowest bit of a thread's id tells (docs/design.md, section 12). */
function isGroup(thread: string): boolean {
  return Number.parseInt(thread.slice(-1), 16) % 2 === 0;
}

function logsOf(history: readonly Seen[]): Map<string, Map<number, SeenEntry>> {
  const logs = new Map<string, Map<number, SeenEntry>>();
  for (const seen of history) {
    if (seen.type !== "entry" && seen.type !== "end") continue;
    const log = logs.get(seen.thread) ?? new Map<number, SeenEntry>();
    logs.set(seen.thread, log);
    for (const entry of seen.type === "entry" ? [seen.entry] : seen.entries) log.set(entry.seq, entry);
  }
  return logs;
}

/** Whether a user was in a group at an entry, the one by which it went included; undefined where no log tells. */
function staysOf(log: ReadonlyMap<number, SeenEntry>): (user: string, seq: number) => boolean | undefined {
  const stays = new Map<string, { readonly fromSeq: number; untilSeq: number }[]>();
  let knownSeq = 0;
  for (let entry = log.get(1); entry; entry = log.get(entry.seq + 1)) {
    knownSeq = entry.seq;
    for (const { user, comes } of movesOf(entry)) {
      const own = stays.get(user) ?? [];
      stays.set(user, own);
      const open = own.find(({ untilSeq }) => untilSeq === Number.POSITIVE_INFINITY);
      if (!comes && open) open.untilSeq = entry.seq;
      if (comes && !open) own.push({ fromSeq: entry.seq, untilSeq: Number.POSITIVE_INFINITY });
    }
  }
  return (user, seq) => {
    if (seq > knownSeq) return undefined;
    return (stays.get(user) ?? []).some(({ fromSeq, untilSeq }) => fromSeq <= seq && seq <= untilSeq);
  };
}
