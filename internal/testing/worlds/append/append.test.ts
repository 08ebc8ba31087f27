import assert from "node:assert/strict";
import fc from "fast-check";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import type { WrittenStep } from "../history/history-file.ts";
import { assertHistories, type Histories, showShrunkHistory } from "../history/shrunk-history.ts";
import { play, steps } from "./append-steps.ts";
import { AppendWorld, type Variant } from "./append-world.ts";
import { brokenAppends } from "./broken-appends.ts";

const RUNS = 1_000;

const seed = testSeed();

const histories = (bucketSize: number): Histories<readonly WrittenStep[]> => ({
  world: "append",
  runs: RUNS,
  seed,
  bucketSize,
  stepsOf: (history) => history,
});

describe("Appends under every interleaving (docs/design.md, sections 2 and 5)", function () {
  this.timeout(180_000);

  for (const bucketSize of [1, 2]) {
    it(`keep promises 1 to 6 at a bucket size of ${bucketSize}, ${RUNS} histories`, async () => {
      const worlds: AppendWorld[] = [];
      await assertHistories(property(bucketSize, undefined, worlds), histories(bucketSize));
      const seen = tally(worlds);
      console.log(`      ${JSON.stringify(seen)}`);
      for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no history had ${what}`);
    });
  }
});

describe("The test of appends goes red on", function () {
  this.timeout(180_000);

  for (const [name, variant] of Object.entries(brokenAppends)) {
    it(`${name}, with a shrunk history`, async () => {
      await showShrunkHistory(property(2, variant), histories(2));
    });
  }
});

function property(bucketSize: number, variant?: Variant, worlds?: AppendWorld[]) {
  return fc.asyncProperty(steps, async (history) => {
    const world = new AppendWorld(bucketSize, variant);
    worlds?.push(world);
    await play(world, history);
  });
}

/** What the histories held: a run in which nothing of it happened would prove nothing. */
function tally(worlds: readonly AppendWorld[]) {
  const items = worlds.flatMap((world) => world.items);
  return {
    sends: items.length,
    retried: items.filter(({ attempt }) => attempt > 1).length,
    "answered more than once": items.filter(({ accepted }) => accepted.length > 1).length,
    sealed: items.filter(({ never }) => never).length,
    "late writes": worlds.reduce((sum, { points }) => sum + points.lateWrites, 0),
    "stopped servers": worlds.reduce((sum, { points }) => sum + points.stoppedServers, 0),
    "heads compared": worlds.reduce((sum, { headReads }) => sum + headReads.length, 0),
  };
}
