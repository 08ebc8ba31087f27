import type { Clock } from "../../base/clock.ts";
import type { TouchAges } from "./touch-ages.ts";

/** For how long a confirmed touch counts, in ms from the moment before it was sent (docs/design.md, section 6). */
export const TOUCH_COUNTS_MS = 45_000;
/** From this age on a touch is renewed in the background, so that no send of a busy thread waits for one. */
export const TOUCH_RENEWS_MS = 40_000;
/** Wall and monotonic clock further apart than this since the last look: all touches are forgotten. */
const CLOCKS_APART_MS = 1_000;
/** How often the clocks are looked at while a touch may count: a jump that is undone between two looks is not noticed. */
export const LOOK_EVERY_MS = 1_000;

/**
 * The rule of touches: a touch is in force at the commit, or becomes visible after it. Its age counts from before it
 * was sent, and is judged when the append has been confirmed. Either half alone loses messages.
 *
 * Every use looks at the clocks, and, until no touch can count any more, so does one timer: a wall clock that jumps
 * forward and back again lets a sync in between see a time at which no touch was in force.
 */
export class TouchLedger {
  readonly #clock: Clock;
  /** Raised when the clocks have moved apart: ages noted before do not count. */
  #validFromMs = Number.NEGATIVE_INFINITY;
  #apartMs: number;
  #usedAtMs = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#apartMs = clock.nowMs() - clock.monotonicMs();
  }

  /** The moment to note for a touch that is about to be sent. */
  beforeSending(): number {
    const now = this.#clock.monotonicMs();
    this.#used(now);
    return now;
  }

  /** Notes a confirmed touch, with the moment from before it was sent. */
  confirmed(ages: TouchAges, members: readonly string[], sentAtMs: number): void {
    for (const member of members) ages.confirm(member, sentAtMs);
  }

  /** The members that no confirmed touch younger than `withinMs` covers now. */
  uncovered(ages: TouchAges, members: readonly string[], withinMs: number): readonly string[] {
    const now = this.#clock.monotonicMs();
    this.#used(now);
    const oldest = Math.max(now - withinMs, this.#validFromMs);
    let missing: string[] | undefined;
    for (const member of members) {
      const sentAt = ages.sentAt(member);
      if (sentAt !== undefined && sentAt > oldest) continue;
      missing ??= [];
      missing.push(member);
    }
    return missing ?? NOBODY;
  }

  #used(now: number): void {
    this.#compareClocks(now);
    this.#usedAtMs = now;
    if (!this.#isLooking) this.#lookLater();
  }

  #lookLater(): void {
    this.#isLooking = true;
    this.#clock.after(LOOK_EVERY_MS, () => {
      const now = this.#clock.monotonicMs();
      this.#compareClocks(now);
      this.#isLooking = false;
      if (now - this.#usedAtMs < TOUCH_COUNTS_MS) this.#lookLater();
    });
  }

  #compareClocks(monotonicNow: number): void {
    const apart = this.#clock.nowMs() - monotonicNow;
    if (Math.abs(apart - this.#apartMs) <= CLOCKS_APART_MS) return;
    this.#apartMs = apart;
    this.#validFromMs = monotonicNow;
  }
}

const NOBODY: readonly string[] = [];
