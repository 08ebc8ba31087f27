import assert from "node:assert/strict";
import fc from "fast-check";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import type { WrittenStep } from "../history/history-file.ts";
import { assertHistories, type Histories, showShrunkHistory } from "../history/shrunk-history.ts";
import { blockSteps, playBlocks } from "./block-steps.ts";
import { type BlockVariant, BlockWorld } from "./block-world.ts";
import { brokenBlocks } from "./broken-groups.ts";

const RUNS = 1_000;

const seed = testSeed();

const histories = (bucketSize: number): Histories<readonly WrittenStep[]> => ({
  world: "blocks",
  runs: RUNS,
  seed,
  bucketSize,
  stepsOf: (history) => history,
});

describe("Appends and blocks under every interleaving (docs/design.md, section 5)", function () {
  this.timeout(180_000);

  for (const bucketSize of [1, 2]) {
    it(`commit nothing of a pair after a block is answered, at a bucket size of ${bucketSize}, ${RUNS} histories`, async () => {
      const worlds: BlockWorld[] = [];
      await assertHistories(property(bucketSize, undefined, worlds), histories(bucketSize));
      const sum = (count: (world: BlockWorld) => number) =>
        worlds.reduce((total, world) => total + count(world), 0);
      const seen = {
        sends: sum(({ posts }) => posts.length),
        accepted: sum(({ posts }) => posts.filter(({ accepted }) => accepted.length > 0).length),
        refused: sum(({ refused }) => refused),
        "blocks answered": sum(({ blocked }) => blocked.length),
        "blocks taken back": sum(({ blocked }) => blocked.filter(({ to }) => Number.isFinite(to)).length),
        "late writes": sum(({ points }) => points.lateWrites),
        "stopped servers": sum(({ points }) => points.stoppedServers),
      };
      console.log(`      ${JSON.stringify(seen)}`);
      for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no history had ${what}`);
    });
  }
});

describe("The test of appends and blocks goes red on", function () {
  this.timeout(180_000);

  for (const [name, variant] of Object.entries(brokenBlocks)) {
    it(`${name}, with a shrunk history`, async () => {
      await showShrunkHistory(property(2, variant), histories(2));
    });
  }
});

function property(bucketSize: number, variant?: BlockVariant, worlds?: BlockWorld[]) {
  return fc.asyncProperty(blockSteps, async (history) => {
    const world = new BlockWorld(bucketSize, variant);
    worlds?.push(world);
    await playBlocks(world, history);
  });
}
