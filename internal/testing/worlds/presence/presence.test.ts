import assert from "node:assert/strict";
import { OFFLINE_AFTER_MS, ONLINE_AFTER_MS } from "../../../presence/limits.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { PresenceStorm, type Shown, STEP_MS, type Visitor, type Watcher } from "./presence-storm.ts";

const USERS = 1_000;
/** The users that each watches: so many of the thousand, so that each of these is watched by as many. */
const WATCHED = 20;

/** Promise 9. */
const ONLINE_SHOWN_MS = 5_000;
const OFFLINE_SHOWN_MS = 40_000;
/** Section 8. */
const UNKNOWN_MS = 20_000;

const INSTANCE_DIES_MS = 75_000;
const INSTANCE_STARTS_MS = 78_000;
const END_MS = 180_000;
/** The bounds hold while the instance lives, and knows. */
const isExcused = (atMs: number) =>
  atMs >= INSTANCE_DIES_MS && atMs <= INSTANCE_STARTS_MS + UNKNOWN_MS + ONLINE_SHOWN_MS;

type History = readonly { readonly shown: Shown; readonly atMs: number }[];

const shownAt = (history: History, atMs: number) => history.findLast((one) => one.atMs <= atMs)?.shown;

/** At most one flip in a grace, and each for a gap as long as that. */
function checkFlips(history: History, visitor: Visitor): number {
  let flips = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let wasOnline = false;
  for (const { shown, atMs } of history) {
    if (shown === "offline" && wasOnline) {
      flips++;
      assert.ok(atMs - lastMs >= OFFLINE_AFTER_MS, `${visitor.userId}: two flips within a grace, at ${atMs}`);
      lastMs = atMs;
      const lateMs = ONLINE_AFTER_MS + 2 * STEP_MS;
      const gap = visitor.gaps.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs + lateMs);
      const isLong = gap && gap.toMs - gap.fromMs >= OFFLINE_AFTER_MS;
      assert.ok(isLong, `${visitor.userId}: offline at ${atMs}, the gap being ${JSON.stringify(gap)}`);
    }
    if (shown !== "unknown") wasOnline = shown === "online";
  }
  return flips;
}

/** What was due to be shown was shown. Returns how often it was looked. */
function checkBounds(history: History, visitor: Visitor): number {
  let looked = 0;
  const check = (fromMs: number, toMs: number, boundMs: number, shown: Shown) => {
    const atMs = fromMs + boundMs;
    if (atMs > Math.min(toMs, END_MS) || isExcused(atMs)) return;
    looked++;
    assert.equal(shownAt(history, atMs), shown, `${visitor.userId} at ${atMs}`);
  };
  for (const { fromMs, toMs } of visitor.stays) check(fromMs, toMs, ONLINE_SHOWN_MS, "online");
  for (const { fromMs, toMs } of visitor.gaps) check(fromMs, toMs, OFFLINE_SHOWN_MS, "offline");
  return looked;
}

async function run(storm: PresenceStorm): Promise<void> {
  await storm.begin();
  while (storm.nowMs < END_MS) {
    const { nowMs } = storm;
    if (nowMs === 35_000 || nowMs === 125_000) storm.replaceServer();
    if (nowMs === INSTANCE_DIES_MS - 1_000) storm.registerSilent();
    if (nowMs === INSTANCE_DIES_MS) storm.world.killInstance();
    if (nowMs === INSTANCE_STARTS_MS) storm.world.startInstance();
    if (nowMs === INSTANCE_STARTS_MS + 1_000) storm.watchAnew(0.25);
    await storm.step();
  }
}

describe("Presence of a thousand users, half of them flapping, watched by a thousand others", function () {
  this.timeout(120_000);

  it("flips once a grace at most, holds its bounds, and is never unknown for longer than 20 s", async () => {
    const seed = testSeed();
    const storm = new PresenceStorm(new SeededRandom(seed), USERS, WATCHED);
    await run(storm);
    const visitors = new Map(storm.visitors.map((visitor) => [visitor.userId, visitor]));
    const seen = { flips: 0, bounds: 0, unknown: 0 };
    try {
      for (const watcher of storm.watchers) checkWatcher(watcher, visitors, seen);
    } catch (error) {
      throw new Error(`HEDDLE_TEST_SEED=${seed}`, { cause: error });
    }
    assert.ok(seen.flips > 10_000 && seen.bounds > 50_000 && seen.unknown > 1_000, JSON.stringify(seen));
  });
});

function checkWatcher(
  watcher: Watcher,
  visitors: ReadonlyMap<string, Visitor>,
  seen: { flips: number; bounds: number; unknown: number },
): void {
  const histories = Map.groupBy(watcher.history, ({ userId }) => userId);
  for (const userId of watcher.userIds) {
    const visitor = visitors.get(userId);
    const history = histories.get(userId);
    assert.ok(visitor && history, `${watcher.userId} was never told of ${userId}`);
    seen.flips += checkFlips(history, visitor);
    seen.bounds += checkBounds(history, visitor);
    assert.notEqual(history.at(-1)?.shown, "unknown");
  }
  for (const lastedMs of watcher.unknownMs) assert.ok(lastedMs <= UNKNOWN_MS, `unknown for ${lastedMs} ms`);
  seen.unknown += watcher.unknownMs.length;
}
