import { movesOf, type Seen, type SeenEntry } from "./history.ts";
import type { Sight } from "./sight.ts";

/** What was under way when a block was answered has come by then, in ms. */
const LATE_MS = 30_000;

/** A device keeps what its person did within this, in ms. */
const KEPT_MS = 1_000;

/** Positions only grow, what was read stays read on every device, and a block lets neither receipts nor typing through. */
export function* positionBreaches(
  history: readonly Seen[],
  moved: ReadonlySet<string>,
  sight: Sight,
): Iterable<string> {
  const told = new Map<string, { readonly delivered: number; readonly read: number }>();
  for (const seen of history) {
    const { atMs, device, user } = seen;
    if (seen.type === "begin") {
      for (const key of told.keys()) if (key.startsWith(`${device} `)) told.delete(key);
    }
    // Of one who has gone nothing is shown, and of one who came back what is told of the stay before may come once more.
    if (seen.type === "entry") {
      for (const move of movesOf(seen.entry))
        if (!move.comes) told.delete(`${device} ${seen.thread} ${move.user}`);
    }
    if (seen.type !== "receipt" && seen.type !== "typing") continue;
    const isDirect = seen.thread === sight.threadOf(user, seen.of);
    if (isDirect && sight.isBlocked(user, seen.of, atMs, LATE_MS))
      yield `9: ${device} was told of a ${seen.type} of ${seen.of} at ${atMs}, with a block between them`;
    if (seen.type === "typing") continue;
    const key = `${device} ${seen.thread} ${seen.of}`;
    const before = told.get(key);
    if (before && (seen.delivered < before.delivered || seen.read < before.read))
      yield `receipt: ${device} was told that ${seen.of} went back to ${seen.delivered}/${seen.read} in ${seen.thread}, from ${before.delivered}/${before.read}`;
    told.set(key, seen);
  }
  yield* readBreaches(history, moved);
}

function* readBreaches(history: readonly Seen[], moved: ReadonlySet<string>): Iterable<string> {
  const highest = new Map<string, number>();
  const raise = (key: string, seq: number) => highest.set(key, Math.max(highest.get(key) ?? 0, seq));
  const phases = history.filter((seen) => seen.type === "phase");
  const crashes = phases.filter(({ phase }) => phase === "crashed");
  const over = new Set(phases.filter(({ phase }) => phase === "signed-out").map(({ device }) => device));
  for (const seen of history) {
    if (seen.type === "end") raise(`${seen.thread} ${seen.user}`, seen.readSeq);
    if (seen.type !== "read") continue;
    const isLost = crashes.some(
      ({ device, atMs }) => device === seen.device && atMs >= seen.atMs && atMs < seen.atMs + KEPT_MS,
    );
    if (!isLost && !over.has(seen.device)) raise(`${seen.thread} ${seen.user}`, seen.seq);
  }
  for (const seen of history) {
    const key = `${seen.type === "end" ? seen.thread : ""} ${seen.user}`;
    if (seen.type !== "end" || moved.has(key)) continue;
    const due = highest.get(key) ?? 0;
    // A device goes on past what is no news, as a change of members that its user made, and need not tell the others.
    const isNews = ({ seq, from, said }: SeenEntry) =>
      seq > seen.readSeq && seq <= due && from !== seen.user && !said.startsWith("[");
    if (seen.entries.some(isNews))
      yield `unread: ${seen.device} has read ${seen.thread} up to ${seen.readSeq}, of ${due}`;
  }
}
