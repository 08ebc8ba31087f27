import assert from "node:assert/strict";
import fc from "fast-check";
import type { ShownPresence } from "../base/presence.ts";
import { FakeRing } from "../testing/fakes/neighbours/fake-ring.ts";
import {
  CHANGE_EVERY_MS,
  CHECK_EVERY_MS,
  LEARN_MS,
  LEASE_MS,
  OFFLINE_AFTER_MS,
  ONLINE_AFTER_MS,
} from "./limits.ts";
import { LiveTime } from "./live-time.ts";
import { type Moment, Users } from "./users.ts";

const DIGEST_EVERY_MS = 15_000;
/** How long after an instance the second push server attaches to it. */
const SECOND_LINK_MS = 2_500;
/** Everything below happens at multiples of this, in ms. */
const STEP_MS = 100;

/** The one instance, and the two push servers. */
const RING = ["presence"];
const PUSH_SERVERS = new FakeRing(["0", "1"]).view();

/** A session that is there from one step to another, on one of two push servers. */
interface Stay {
  readonly server: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** It ends without a word: its push server dies with it. */
  readonly isSilent: boolean;
}

interface Change {
  readonly atMs: number;
  readonly status: string;
}

/** Push servers that report stays, and an instance that may be paused, and replaced by one that knows nothing. */
class World {
  readonly changes: Change[] = [];
  readonly unknownMs: number[] = [];
  readonly #stays: readonly Stay[];
  #nowMs = 0;
  #live = new LiveTime(CHECK_EVERY_MS, 0);
  #users = this.#fresh();
  #shown = "offline";
  #unknownSinceMs: number | undefined;
  #pausedUntilMs = 0;
  #checkAtMs = 0;
  #inbox: (() => void)[] = [];
  #secondLinkAtMs = 0;

  constructor(stays: readonly Stay[]) {
    this.#stays = stays;
  }

  run(untilMs: number, pauses: ReadonlyMap<number, number>, replacements: ReadonlySet<number>): void {
    for (; this.#nowMs <= untilMs; this.#nowMs += STEP_MS) {
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#nowMs + (pauses.get(this.#nowMs) ?? 0));
      if (replacements.has(this.#nowMs) && !this.#isPaused) this.#replace();
      this.#report();
      // A process that wakes runs its timers before it reads what waits for it.
      if (!this.#isPaused && this.#nowMs >= this.#checkAtMs) this.#check();
      if (!this.#isPaused) for (const take of this.#inbox.splice(0)) take();
      this.#look();
    }
  }

  get #isPaused(): boolean {
    return this.#nowMs < this.#pausedUntilMs;
  }

  #fresh(): Users {
    return new Users({ changed: () => {}, learned: () => {} });
  }

  #replace(): void {
    this.#users = this.#fresh();
    this.#live = new LiveTime(CHECK_EVERY_MS, this.#nowMs);
    this.#inbox = [];
    this.#checkAtMs = this.#nowMs + CHECK_EVERY_MS;
    this.#users.learn(() => true, this.#now());
    this.#digest(0);
    this.#secondLinkAtMs = this.#nowMs + SECOND_LINK_MS; // The other push server takes longer to attach.
  }

  #now(): Moment {
    return { liveMs: this.#live.at(this.#nowMs), monotonicMs: this.#nowMs, wallMs: 1e12 + this.#nowMs };
  }

  #check(): void {
    this.#checkAtMs = this.#nowMs + CHECK_EVERY_MS;
    const liveMs = this.#live.checked(this.#nowMs);
    this.#users.check({ ...this.#now(), liveMs }, PUSH_SERVERS, new Set(RING));
  }

  #report(): void {
    if (this.#nowMs > 0 && this.#nowMs === this.#secondLinkAtMs) this.#digest(1);
    for (const [at, stay] of this.#stays.entries()) {
      if (stay.fromMs === this.#nowMs) this.#say(stay.server, [at], [], false);
      if (stay.toMs === this.#nowMs && !stay.isSilent) this.#say(stay.server, [], [at], false);
    }
    if (this.#nowMs % DIGEST_EVERY_MS === 0) for (const server of [0, 1]) this.#digest(server);
  }

  #digest(server: number): void {
    const mine = [...this.#stays.entries()].filter(([, stay]) => stay.server === server);
    const ups = mine.filter(([, { fromMs, toMs }]) => fromMs <= this.#nowMs && this.#nowMs < toMs);
    const downs = mine.filter(
      ([, { toMs, isSilent }]) => !isSilent && toMs <= this.#nowMs && this.#nowMs - toMs < 60_000,
    );
    const names = (found: typeof mine) => found.map(([at]) => at);
    this.#say(server, names(ups), names(downs), true);
  }

  /** Ages are of when it is said, and it may wait. */
  #say(server: number, ups: readonly number[], downs: readonly number[], isDigest: boolean): void {
    const saidMs = this.#nowMs;
    if (server === 1 && saidMs < this.#secondLinkAtMs) return;
    const stayOf = (at: number) => this.#stays[at] as Stay;
    const report = {
      ring: isDigest ? RING : undefined,
      ups: ups.map((at) => ({ name: `${at}`, userId: "ann", ageMs: saidMs - stayOf(at).fromMs })),
      downs: downs.map((at) => {
        const { fromMs, toMs } = stayOf(at);
        return { name: `${at}`, userId: "ann", ageMs: saidMs - toMs, lastedMs: toMs - fromMs };
      }),
    };
    const users = this.#users;
    this.#inbox.push(() => users.report(`${server}`, report, this.#now()));
  }

  #look(): void {
    if (this.#isPaused) return;
    const { status }: ShownPresence = this.#users.presenceOf("ann");
    if (status === "unknown") {
      this.#unknownSinceMs ??= this.#nowMs;
      return;
    }
    if (this.#unknownSinceMs !== undefined) this.unknownMs.push(this.#nowMs - this.#unknownSinceMs);
    this.#unknownSinceMs = undefined;
    if (status !== this.#shown) this.changes.push({ atMs: this.#nowMs, status });
    this.#shown = status;
  }
}

const END_MS = 240_000;

/** Stays and gaps, in turn: as of somebody in a train. */
function stays(
  options: { readonly isSilent?: boolean; readonly shortestMs?: number; readonly longestGapMs?: number } = {},
) {
  const { isSilent = false, shortestMs = STEP_MS, longestGapMs = 25_000 } = options;
  const length = (longestMs: number, leastMs: number) =>
    fc.integer({ min: leastMs / STEP_MS, max: longestMs / STEP_MS }).map((steps) => steps * STEP_MS);
  const one = fc.tuple(length(30_000, shortestMs), length(longestGapMs, STEP_MS), fc.constantFrom(0, 1));
  return fc.array(one, { minLength: 1, maxLength: 12 }).map((pairs) => {
    const made: Stay[] = [];
    let atMs = STEP_MS;
    for (const [stayMs, gapMs, server] of pairs) {
      made.push({ server, fromMs: atMs, toMs: atMs + stayMs, isSilent });
      atMs += stayMs + gapMs;
    }
    // Without long gaps nobody goes: the last stay outlasts the test.
    return longestGapMs >= OFFLINE_AFTER_MS
      ? made
      : made.map((stay, at) => (at + 1 < made.length ? stay : { ...stay, toMs: 2 * END_MS }));
  });
}

/** The gaps between stays that follow one another. */
function gapsOf(made: readonly Stay[]): { readonly fromMs: number; readonly toMs: number }[] {
  return made.map(({ toMs }, at) => ({
    fromMs: toMs,
    toMs: made[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY,
  }));
}

function checkFlips(changes: readonly Change[], made: readonly Stay[]): void {
  let offlineAtMs = Number.NEGATIVE_INFINITY;
  for (const { atMs, status } of changes) {
    if (status !== "offline") continue;
    assert.ok(atMs - offlineAtMs >= OFFLINE_AFTER_MS, "two flips within one grace");
    offlineAtMs = atMs;
    // It may show late, as long as the end of the gap is not due to be shown.
    const gap = gapsOf(made).find(
      ({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs + ONLINE_AFTER_MS + CHECK_EVERY_MS,
    );
    assert.ok(gap && gap.toMs - gap.fromMs >= OFFLINE_AFTER_MS, `offline at ${atMs} for a shorter gap`);
  }
}

const shownAt = (changes: readonly Change[], atMs: number) =>
  changes.findLast((change) => change.atMs <= atMs)?.status ?? "offline";

describe("What is shown of a user", function () {
  this.timeout(60_000);
  const sure = { numRuns: 400 };

  it("flips for no gap shorter than the grace, and follows within 5 s and 40 s", () => {
    fc.assert(
      fc.property(stays(), (made) => {
        const world = new World(made);
        world.run(END_MS, new Map(), new Set());
        checkFlips(world.changes, made);
        for (const { fromMs, toMs } of made) {
          const dueMs = fromMs + ONLINE_AFTER_MS + CHECK_EVERY_MS + CHANGE_EVERY_MS;
          if (dueMs < Math.min(toMs, END_MS)) assert.equal(shownAt(world.changes, dueMs), "online");
        }
        for (const { fromMs, toMs } of gapsOf(made)) {
          const dueMs = fromMs + OFFLINE_AFTER_MS + CHECK_EVERY_MS + CHANGE_EVERY_MS;
          if (dueMs < Math.min(toMs, END_MS)) assert.equal(shownAt(world.changes, dueMs), "offline");
        }
      }),
      sure,
    );
  });

  it("follows push servers that die without a word when the lease ends, with no grace on top", () => {
    fc.assert(
      fc.property(stays({ isSilent: true }), (made) => {
        const world = new World(made);
        world.run(END_MS, new Map(), new Set());
        for (const { fromMs, toMs } of gapsOf(made)) {
          const dueMs = fromMs + LEASE_MS + CHECK_EVERY_MS + CHANGE_EVERY_MS;
          if (dueMs < Math.min(toMs, END_MS)) assert.equal(shownAt(world.changes, dueMs), "offline");
        }
        checkFlips(world.changes, made);
      }),
      sure,
    );
  });

  it("does not flip because the instance was paused", () => {
    const pauses = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 90 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(stays({ longestGapMs: OFFLINE_AFTER_MS - STEP_MS }), pauses, (made, drawn) => {
        const world = new World(made);
        world.run(END_MS, new Map(drawn.map(([at, long]) => [at * 10_000, long * 1_000])), new Set());
        assert.ok(!world.changes.some(({ status }) => status === "offline"), "a flip");
      }),
      sure,
    );
  });

  it("survives instances that know nothing: no flip for a short gap, unknown for no longer than 20 s", () => {
    const replacements = fc.uniqueArray(fc.integer({ min: 10, max: 110 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      // Stays shorter than the delay of online leave no trace that a new instance could go by after 60 s.
      fc.property(stays({ shortestMs: ONLINE_AFTER_MS }), replacements, (made, drawn) => {
        const world = new World(made);
        world.run(END_MS, new Map(), new Set(drawn.map((at) => at * 2_000 + 700)));
        checkFlips(world.changes, made);
        for (const lastedMs of world.unknownMs) assert.ok(lastedMs <= LEARN_MS, `${lastedMs} ms unknown`);
      }),
      sure,
    );
  });
});
