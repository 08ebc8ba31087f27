import type { Seen } from "./history.ts";

type Change = Extract<Seen, { type: "change" }>;

/** From when until when, in ms. */
export interface Spell {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** When something was surely in force, and when it may have been. */
export interface Spells {
  readonly sure: readonly Spell[];
  readonly maybe: readonly Spell[];
}

export const NEVER: Spells = { sure: [], maybe: [] };

/** What was not answered takes effect within this or never, in ms. */
const LATE_MS = 60_000;

interface Asked {
  readonly what: string;
  readonly atMs: number;
  /** Undefined: refused, or not known. */
  answeredMs: number | undefined;
}

/** The spells of what one change sets and another takes back, by what `keyOf` says of the change. */
export function spellsOf(
  history: readonly Seen[],
  set: string,
  unset: string,
  keyOf: (change: Change) => string,
): ReadonlyMap<string, Spells> {
  const asked = new Map<string, Asked[]>();
  const open = new Map<string, Asked>();
  for (const seen of history) {
    if (seen.type !== "change" || (seen.what !== set && seen.what !== unset)) continue;
    const way = `${seen.device} ${seen.what} ${seen.about}`;
    if (seen.state === "asked") {
      const one: Asked = { what: seen.what, atMs: seen.atMs, answeredMs: undefined };
      const key = keyOf(seen);
      asked.set(key, [...(asked.get(key) ?? []), one]);
      open.set(way, one);
    } else if (seen.state === "answered") {
      const one = open.get(way);
      if (one) one.answeredMs = seen.atMs;
    }
  }
  return new Map(
    [...asked].map(([key, all]) => {
      const sets = all.filter(({ what }) => what === set);
      const unsets = all.filter(({ what }) => what === unset);
      return [
        key,
        { sure: sets.flatMap((one) => sureOf(one, unsets)), maybe: sets.map((one) => maybeOf(one, unsets)) },
      ];
    }),
  );
}

/** Whether a moment lies in one of the spells, at least so many ms after its beginning. */
export function isWithin(spells: readonly Spell[], atMs: number, sinceMs = 0): boolean {
  return spells.some(({ fromMs, untilMs }) => fromMs + sinceMs <= atMs && atMs < untilMs);
}

/** Whether one of the spells meets a stretch of time. */
export function meets(spells: readonly Spell[], fromMs: number, untilMs: number): boolean {
  return spells.some((spell) => spell.fromMs <= untilMs && fromMs < spell.untilMs);
}

/** Where it may have been taken back at the same time, nothing is sure. */
function sureOf({ atMs, answeredMs }: Asked, unsets: readonly Asked[]): Spell[] {
  if (answeredMs === undefined) return [];
  const meet = unsets.filter(
    (one) => one.atMs <= answeredMs && (one.answeredMs ?? one.atMs + LATE_MS) >= atMs,
  );
  if (meet.length > 0) return [];
  const next = unsets.find((one) => one.atMs > answeredMs);
  return [{ fromMs: answeredMs, untilMs: next?.atMs ?? Number.POSITIVE_INFINITY }];
}

function maybeOf({ atMs, answeredMs }: Asked, unsets: readonly Asked[]): Spell {
  const knownMs = answeredMs ?? atMs + LATE_MS;
  const ends = unsets.flatMap((one) =>
    one.atMs > knownMs && one.answeredMs !== undefined ? one.answeredMs : [],
  );
  return { fromMs: atMs, untilMs: Math.min(...ends) };
}
