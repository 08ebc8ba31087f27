import type { Seen } from "./history.ts";
import type { Sight } from "./sight.ts";
import { Whereabouts } from "./whereabouts.ts";

/** After the last trouble of the servers their leases, digests and watches are in order again, in ms. */
export const SETTLED_MS = 60_000;

/** Within which one who comes is shown, and one who goes is not any more: promise 9, and what the network takes, in ms. */
const SHOWN_MS = 5_000 + 1_000;
const GONE_MS = 40_000 + 1_000;

/** A gap shorter than this shows nothing: the grace without what the network takes, in ms. */
const GRACE_MS = 10_000 - 1_000;

/** What was under way when a change was answered has come by then: when all is well, and at all, in ms. */
const UNDER_WAY_MS = 1_500;
const LATE_MS = 30_000;

interface Screen {
  readonly device: string;
  readonly user: string;
  /** Since when it watches each. */
  watched: ReadonlyMap<string, number>;
  readonly shown: Map<string, string>;
}

/** Presence is bounded, and told to nobody who may not see it, also between the calms. */
export function* presenceBreaches(history: readonly Seen[], sight: Sight): Iterable<string> {
  const judge = new PresenceJudge(history, sight);
  let lookedMs = 0;
  for (const seen of history) {
    if (seen.atMs >= lookedMs + 500) {
      lookedMs = seen.atMs;
      yield* judge.look(seen.atMs);
    }
    yield* judge.read(seen);
  }
}

class PresenceJudge {
  readonly #sight: Sight;
  readonly #where: Whereabouts;
  readonly #screens = new Map<string, Screen>();
  /** From when until when each user was surely there, as far as is read. */
  readonly #stays = new Map<string, { readonly fromMs: number; untilMs: number }[]>();

  constructor(history: readonly Seen[], sight: Sight) {
    this.#sight = sight;
    this.#where = new Whereabouts(history);
  }

  /** What a line says, judged by what was before it. */
  *read(seen: Seen): Iterable<string> {
    const { atMs, user, device, type } = seen;
    this.#noteThere(user, atMs);
    this.#where.read(seen);
    if (type === "watch") {
      const { watched, shown } = this.#screenOf(device, user);
      const next = new Map(seen.of.map((of) => [of, watched.get(of) ?? atMs]));
      this.#screens.set(device, { device, user, watched: next, shown });
    } else if (type === "begin") this.#screens.delete(device);
    else if (type === "presence") {
      const { shown } = this.#screenOf(device, user);
      const before = shown.get(seen.of);
      shown.set(seen.of, seen.status);
      yield* this.#told(seen, before);
    }
  }

  /** What every screen shows at a moment. */
  *look(atMs: number): Iterable<string> {
    const where = this.#where;
    const isQuiet = where.quietSinceMs <= atMs - SETTLED_MS;
    const underWayMs = isQuiet ? UNDER_WAY_MS : LATE_MS;
    for (const { device, user, watched, shown } of this.#screens.values()) {
      const liveMs = where.liveSinceMs(device) ?? Number.POSITIVE_INFINITY;
      for (const [of, watchedMs] of watched) {
        const status = shown.get(of) ?? "unknown";
        const isLive = (forMs: number) => Math.max(liveMs, watchedMs) <= atMs - forMs;
        // Who is not watched is asked about every few minutes: what a watch begins with is that, until it is answered.
        if (
          status === "online" &&
          isLive(Math.max(underWayMs, SHOWN_MS)) &&
          this.#sight.isShut(user, of, atMs, underWayMs)
        )
          yield `9: ${device} still shows ${of} as online, who may not be seen`;
        if (!isQuiet || !isLive(SHOWN_MS)) continue;
        const thereMs = where.thereSinceMs(of) ?? Number.POSITIVE_INFINITY;
        const isOpen = this.#sight.isOpen(user, of, atMs - SHOWN_MS, atMs);
        if (status !== "online" && thereMs <= atMs - SHOWN_MS && isOpen)
          yield `9: ${device} shows ${of} as ${status}, who is there since ${thereMs}`;
        const goneMs = where.goneSinceMs(of) ?? Number.POSITIVE_INFINITY;
        if (status === "online" && goneMs <= atMs - GONE_MS)
          yield `9: ${device} shows ${of} as online, who is gone since ${goneMs}`;
      }
    }
  }

  *#told(
    { atMs, device, user, of, status }: Extract<Seen, { type: "presence" }>,
    before: string | undefined,
  ) {
    if (status === "unknown") return;
    const isQuiet = this.#where.quietSinceMs <= atMs - SETTLED_MS;
    if (this.#sight.isShut(user, of, atMs, isQuiet ? UNDER_WAY_MS : LATE_MS))
      yield `9: ${device} was told that ${of} is ${status}, who may not be seen`;
    if (isQuiet && before === "online" && status === "offline" && !this.#wasGone(of, atMs))
      yield `9: ${device} was told at ${atMs} that ${of} went, who was there`;
  }

  #noteThere(user: string, atMs: number): void {
    const fromMs = this.#where.thereSinceMs(user);
    if (fromMs === undefined || fromMs > atMs) return;
    const stays = this.#stays.get(user) ?? [];
    this.#stays.set(user, stays);
    const last = stays.at(-1);
    if (last && fromMs <= last.untilMs) last.untilMs = atMs;
    else stays.push({ fromMs, untilMs: atMs });
  }

  /** Whether the user is gone for as long as the grace, or was, and came back so lately that it is not shown yet. */
  #wasGone(user: string, atMs: number): boolean {
    this.#noteThere(user, atMs);
    const [before, last] = (this.#stays.get(user) ?? []).slice(-2);
    const newest = last ?? before;
    if (!newest || newest.untilMs <= atMs - GRACE_MS) return true;
    const wentMs = (last && before?.untilMs) ?? Number.NEGATIVE_INFINITY;
    return newest.fromMs >= atMs - SHOWN_MS && newest.fromMs - wentMs >= GRACE_MS;
  }

  #screenOf(device: string, user: string): Screen {
    const screen = this.#screens.get(device) ?? { device, user, watched: new Map(), shown: new Map() };
    this.#screens.set(device, screen);
    return screen;
  }
}
