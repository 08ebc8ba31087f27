import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import type { Seen } from "./history.ts";

type Change = Extract<Seen, { type: "change" }>;

/** From when on something is forbidden, and when it may be allowed again. */
interface Ban {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly thread: string;
  /** Who may not write there; undefined: nobody may. */
  readonly user: string | undefined;
  readonly said: string;
}

/** Members that came to a group, or went: what they hold of it is a stay, or several. */
export function movedMembers(history: readonly Seen[]): ReadonlySet<string> {
  const changes = history.filter((seen) => seen.type === "change");
  return new Set(
    changes.filter(({ what }) => /^(add|remove|leave group)$/.test(what)).map(({ about }) => about),
  );
}

/** Users who hid at some time, with when the last change was known to be in force: undefined while it is not. */
export function hiders(history: readonly Seen[]): ReadonlyMap<string, Change> {
  const last = new Map<string, Change>();
  for (const seen of history) {
    if (seen.type === "change" && (seen.what === "hide" || seen.what === "show")) last.set(seen.user, seen);
  }
  return last;
}

/** A block, a removal and the end of a device are in force when they are answered: what is written later is not sent. */
export function* changeBreaches(history: readonly Seen[]): Iterable<string> {
  const bans = [...bansOf(history)];
  const ended = new Map<string, number>();
  for (const seen of history) {
    if (seen.type === "change" && seen.what === "sign out" && seen.state === "answered")
      ended.set(seen.about, seen.atMs);
  }
  const written = new Map<string, number>();
  for (const seen of history) {
    if (seen.type === "write") written.set(seen.text, seen.atMs);
    if (seen.type !== "sent") continue;
    const atMs = written.get(seen.text) ?? 0;
    const endedMs = ended.get(seen.device);
    if (endedMs !== undefined && atMs > endedMs)
      yield `9: ${seen.device} sent ${seen.text} when it was signed out`;
    for (const { fromMs, untilMs, thread, user, said } of bans) {
      const isForbidden = thread === seen.thread && (user === undefined || user === seen.user);
      if (isForbidden && atMs > fromMs && seen.atMs < untilMs)
        yield `9: ${seen.device} sent ${seen.text} after ${said}, answered at ${fromMs}`;
    }
  }
}

const UNDONE: Readonly<Record<string, string>> = { block: "unblock", remove: "add", "leave group": "add" };

function* bansOf(history: readonly Seen[]): Iterable<Ban> {
  const changes = history.filter((seen) => seen.type === "change");
  for (const change of changes) {
    const undone = UNDONE[change.what];
    if (undone === undefined || change.state !== "answered") continue;
    const isUndone = (later: Change) =>
      later.what === undone &&
      later.about === change.about &&
      (undone === "add" || later.user === change.user) &&
      later.state === "asked";
    // What undoes it may have been asked for before it was answered, and come after it.
    const asked = changes.findLast(
      ({ what, about, state, atMs }) =>
        what === change.what && about === change.about && state === "asked" && atMs <= change.atMs,
    );
    const next = changes.find((later) => later.atMs >= (asked?.atMs ?? 0) && isUndone(later));
    const untilMs = next?.atMs ?? Number.POSITIVE_INFINITY;
    const said = `${change.what} ${change.about}`;
    const [thread = "", user] =
      change.what === "block"
        ? [hex(directThreadId(change.user, change.about)), undefined]
        : change.about.split(" ");
    yield { fromMs: change.atMs, untilMs, thread, user, said };
  }
}
