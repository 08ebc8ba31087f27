import type { Pace } from "./load/pace/pacer.ts";

/** A group and how often somebody posts in it. */
export interface GroupScale {
  readonly members: number;
  /** Posts a second. */
  readonly perSecond: number;
}

/** How large and how long. */
export interface Scale {
  /** Load before the window, in ms, in which Node compiles what is hot and caches fill. */
  readonly warmUpMs: number;
  /** The measured window of each figure. */
  readonly windowMs: number;
  /** Streams of scenario idle. */
  readonly idleStreams: number;
  /** Of scenario group, the smallest first. */
  readonly groups: readonly GroupScale[];
  /** Of scenario presence; at most 100 users. */
  readonly presence: { readonly users: number; readonly watchers: number };
  /** Messages a second of scenario latency. */
  readonly rates: readonly number[];
}

/**
 * What a schedule has beyond the window, in seconds, so that it does not end before the window does: the figure would
 * be of a load that had stopped.
 */
const SPARE_S = 5;

/** A schedule for one window and its warm-up. */
export function paceOf({ warmUpMs, windowMs }: Scale, perSecond: number): Pace {
  return { perSecond, count: Math.ceil(perSecond * ((warmUpMs + windowMs) / 1_000 + SPARE_S)) };
}

/**
 * The figures of the page. The groups have the same deliveries a second, about 10,000, so that their costs can be
 * compared.
 */
export const FULL: Scale = {
  warmUpMs: 3_000,
  windowMs: 10_000,
  idleStreams: 10_000,
  groups: [
    { members: 100, perSecond: 100 },
    { members: 1_000, perSecond: 10 },
    { members: 5_000, perSecond: 2 },
  ],
  presence: { users: 100, watchers: 100 },
  rates: [300, 1_000, 3_000],
};

/** Whether it works, in a second or two each; the figures mean little. */
export const QUICK: Scale = {
  warmUpMs: 100,
  windowMs: 500,
  idleStreams: 200,
  groups: [
    { members: 10, perSecond: 40 },
    { members: 300, perSecond: 10 },
  ],
  presence: { users: 10, watchers: 10 },
  rates: [300],
};
