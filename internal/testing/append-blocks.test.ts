import assert from "node:assert/strict";
import fc from "fast-check";
import { blockSteps, playBlocks } from "./block-steps.ts";
import { type BlockVariant, BlockWorld } from "./block-world.ts";
import { brokenBlocks } from "./broken-appends.ts";

const RUNS = 1_000;

/** HEDDLE_TEST_SEED repeats a run; it is printed when one fails. */
const seed = Number(process.env.HEDDLE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe("Appends and blocks under every interleaving (docs/design.md, section 5)", function () {
  this.timeout(180_000);

  for (const bucketSize of [1, 2]) {
    it(`commit nothing of a pair after a block is answered, at a bucket size of ${bucketSize}, ${RUNS} histories`, async () => {
      const worlds: BlockWorld[] = [];
      await fc.assert(property(bucketSize, undefined, worlds), { numRuns: RUNS, seed });
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
      const details = await fc.check(property(2, variant), { numRuns: RUNS, seed });
      assert.ok(details.failed && details.counterexample, `${RUNS} histories show nothing (seed ${seed})`);
      const [history] = details.counterexample;
      console.log(
        `      run ${details.numRuns}, shrunk ${details.numShrinks} times to ${history.length} steps:`,
      );
      for (const step of history) console.log(`        ${JSON.stringify(step)}`);
      console.log(`      ${(details.errorInstance as Error | undefined)?.message.split("\n")[0]}`);
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
