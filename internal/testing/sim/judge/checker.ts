import { changeBreaches, hiders, movedMembers } from "./changes.ts";
import type { Seen, SeenEntry } from "./history.ts";
import { positionBreaches } from "./positions.ts";
import { presenceBreaches } from "./presences.ts";
import { pushBreaches } from "./pushes.ts";
import { Sight } from "./sight.ts";
import { stallsOf } from "./stalls.ts";
import { strangerBreaches } from "./strangers.ts";

/** What was acknowledged so long before a calm has come everywhere by then, in ms. */
const UNDER_WAY_MS = 10_000;

type End = Extract<Seen, { type: "end" }>;

/**
 * Judges a history by the promises of docs/design.md, from what clients saw and nothing else: each breach in words, with
 * the number of the promise. Empty where all are kept.
 */
export function breachesOf(history: readonly Seen[]): string[] {
  const moved = movedMembers(history);
  const ends = history.filter((seen) => seen.type === "end");
  const logs = new Map<string, Map<number, string>>();
  const breaches = [...orderBreaches(history, logs, moved)];
  for (const end of ends)
    for (const entry of end.entries) breaches.push(...same(logs, end.device, end.thread, entry));
  for (const end of ends) if (!moved.has(`${end.thread} ${end.user}`)) breaches.push(...endBreaches(end));
  breaches.push(...headBreaches(ends), ...sendBreaches(history, ends), ...calmBreaches(history, ends));
  breaches.push(...changeBreaches(history), ...watchBreaches(history), ...stallBreaches(history));
  const sight = new Sight(history);
  breaches.push(...forkBreaches(history), ...strangerBreaches(history, sight));
  breaches.push(...positionBreaches(history, moved, sight), ...presenceBreaches(history, sight));
  breaches.push(...pushBreaches(history));
  return [...new Set(breaches)];
}

/** Each life of a device is given a thread's entries in order, without a hole, as everybody else is. */
function* orderBreaches(
  history: readonly Seen[],
  logs: Map<string, Map<number, string>>,
  moved: ReadonlySet<string>,
): Iterable<string> {
  const last = new Map<string, number>();
  for (const seen of history) {
    if (seen.type === "begin") {
      for (const key of last.keys()) if (key.startsWith(`${seen.device} `)) last.delete(key);
    }
    if (seen.type !== "entry") continue;
    const key = `${seen.device} ${seen.thread}`;
    const before = last.get(key);
    const isMoved = moved.has(`${seen.thread} ${seen.user}`);
    if (before !== undefined && seen.entry.seq !== before + 1 && !isMoved) {
      yield `2/5: ${seen.device} was given ${seen.thread}/${seen.entry.seq} after ${before}`;
    }
    last.set(key, seen.entry.seq);
    yield* same(logs, seen.device, seen.thread, seen.entry);
  }
}

function* same(
  logs: Map<string, Map<number, string>>,
  device: string,
  thread: string,
  entry: SeenEntry,
): Iterable<string> {
  const log = logs.get(thread) ?? new Map<number, string>();
  logs.set(thread, log);
  const text = JSON.stringify([entry.from, entry.clientId, entry.ordinal, entry.said]);
  const before = log.get(entry.seq);
  if (before !== undefined && before !== text)
    yield `6: ${thread}/${entry.seq} is ${text} for ${device}, and was ${before}`;
  log.set(entry.seq, text);
}

/** What a device holds at the end: whole up to the head, and counted right. */
function* endBreaches({ device, user, thread, entries, headSeq, readSeq, unread }: End): Iterable<string> {
  entries.forEach((entry, at) => {
    const due = (entries[0]?.seq ?? 1) + at;
    if (entry.seq !== due) throwHole(device, thread, due);
  });
  if ((entries.at(-1)?.seq ?? 0) !== headSeq) {
    yield `5: ${device} holds ${thread} up to ${entries.at(-1)?.seq}, and its head is ${headSeq}`;
  }
  const counted = entries.filter(
    ({ seq, from, said }) => seq > readSeq && from !== user && !said.startsWith("["),
  );
  if (counted.length !== unread)
    yield `unread: ${device} shows ${unread} in ${thread}, and ${counted.length} are`;
}

function throwHole(device: string, thread: string, seq: number): never {
  throw new Error(`${device} claims to hold ${thread} without a hole, and lacks ${seq}`);
}

/** After a sync all members know the same head, and all devices of a user the same threads. */
function* headBreaches(ends: readonly End[]): Iterable<string> {
  const highest = new Map<string, number>();
  const held = new Map<string, Set<string>>();
  for (const { thread, headSeq, user, device } of ends) {
    highest.set(thread, Math.max(highest.get(thread) ?? 0, headSeq));
    for (const key of [device, `${user} ${thread}`]) held.set(key, (held.get(key) ?? new Set()).add(thread));
  }
  for (const { device, thread, headSeq, hasLeft } of ends) {
    const head = highest.get(thread) ?? 0;
    if (!hasLeft && headSeq < head)
      yield `5: ${device} knows ${thread} up to ${headSeq} after a sync, of ${head}`;
  }
  for (const { device, user } of ends) {
    for (const [key, threads] of held) {
      if (!key.startsWith(`${user} `)) continue;
      for (const thread of threads)
        if (!held.get(device)?.has(thread)) yield `5: ${device} does not know ${thread}`;
    }
  }
}

/** What became of sends: acknowledged is durable, exactly once, and nothing is left unknown. */
function* sendBreaches(history: readonly Seen[], ends: readonly End[]): Iterable<string> {
  const places = new Map<string, Set<string>>();
  for (const { thread, entries } of ends) {
    for (const { said, seq } of entries) {
      if (!said.startsWith("[")) places.set(said, (places.get(said) ?? new Set()).add(`${thread}/${seq}`));
    }
  }
  for (const [text, at] of places) if (at.size > 1) yield `3: ${text} is there twice: ${[...at].join(", ")}`;
  for (const seen of history) {
    if (seen.type === "sent" && !places.get(seen.text)?.has(`${seen.thread}/${seen.seq}`)) {
      yield `1: ${seen.text} was acknowledged at ${seen.thread}/${seen.seq}, and is not there`;
    }
    if (seen.type === "failed" && places.has(seen.text))
      yield `4: ${seen.text} was said to have failed, and is there`;
    if (seen.type === "outbox") for (const text of seen.texts) yield `4: what became of ${text} is not known`;
  }
}

/** A thread never forks: a place is acknowledged for one send. */
function* forkBreaches(history: readonly Seen[]): Iterable<string> {
  const places = new Map<string, string>();
  for (const seen of history) {
    if (seen.type !== "sent") continue;
    const place = `${seen.thread}/${seen.seq}`;
    const before = places.get(place) ?? seen.clientId;
    if (before !== seen.clientId)
      yield `7: ${place} was acknowledged for ${seen.clientId}, and for ${before}`;
    places.set(place, before);
  }
}

/** In a calm a connected device knows every head of its threads, and who is there, without asking. */
function* calmBreaches(history: readonly Seen[], ends: readonly End[]): Iterable<string> {
  const direct = new Map<string, Set<string>>();
  for (const { device, thread, isGroup } of ends) {
    if (!isGroup) direct.set(device, (direct.get(device) ?? new Set()).add(thread));
  }
  const heads = new Map<string, number>();
  const raise = (thread: string, seq: number) => heads.set(thread, Math.max(heads.get(thread) ?? 0, seq));
  let at = 0;
  for (const [atMs, calms] of Map.groupBy(
    history.filter((seen) => seen.type === "calm"),
    (seen) => seen.atMs,
  )) {
    for (; at < history.length && (history[at]?.atMs ?? 0) < atMs - UNDER_WAY_MS; at++) {
      const seen = history[at];
      if (seen?.type === "sent") raise(seen.thread, seen.seq);
    }
    for (const calm of calms) for (const [thread, seq] of Object.entries(calm.heads)) raise(thread, seq);
    for (const { device, heads: known } of calms) {
      for (const thread of new Set([...Object.keys(known), ...(direct.get(device) ?? [])])) {
        const [held, head] = [known[thread] ?? 0, heads.get(thread) ?? 0];
        if (held < head)
          yield `5: ${device} stood at ${held} of ${thread} in the calm at ${atMs}, of ${head}`;
      }
    }
  }
}

/** In a calm a watcher is told who is there, and never that one who hides is. */
function* watchBreaches(history: readonly Seen[]): Iterable<string> {
  const hidden = hiders(history);
  for (const seen of history) {
    if (seen.type !== "watching") continue;
    const last = hidden.get(seen.of);
    const isHidden =
      last?.what === "hide" && last.state === "answered" && last.atMs < seen.atMs - UNDER_WAY_MS;
    if (isHidden && seen.status === "online") yield `9: ${seen.device} sees ${seen.of} as online, who hides`;
    else if (!last && (seen.status === "online") !== seen.isThere) {
      yield `9: ${seen.device} sees ${seen.of} as ${seen.status}, who ${seen.isThere ? "is" : "is not"} there`;
    }
  }
}

/** No send of a connected device waits longer while the stores serve, in ms. */
const LONGEST_SEND_MS = 12_000;

function* stallBreaches(history: readonly Seen[]): Iterable<string> {
  for (const { device, text, atMs, forMs } of stallsOf(history)) {
    if (forMs > LONGEST_SEND_MS) yield `stall: ${device} had no answer to ${text} of ${atMs} for ${forMs} ms`;
  }
}
