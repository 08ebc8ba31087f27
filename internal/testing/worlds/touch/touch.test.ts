import assert from "node:assert/strict";
import fc from "fast-check";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import { showShrunkHistory } from "../history/shrunk-history.ts";
import { brokenTouches } from "./broken-touches.ts";
import { playTouches, touchSteps } from "./touch-steps.ts";
import { type TouchVariant, TouchWorld } from "./touch-world.ts";

const RUNS = 1_000;

const seed = testSeed();

describe("Touch and sync under every interleaving (docs/design.md, section 6)", function () {
  this.timeout(180_000);

  it(`show every acknowledged entry and every change of a row to a device that only syncs, ${RUNS} histories`, async () => {
    const worlds: TouchWorld[] = [];
    await fc.assert(property({}, worlds), { numRuns: RUNS, seed });
    const acknowledged = worlds.reduce((sum, world) => sum + world.acknowledged.length, 0);
    const syncs = worlds.reduce((sum, world) => sum + world.syncs, 0);
    const late = worlds.reduce((sum, world) => sum + world.points.lateWrites, 0);
    console.log(`      ${JSON.stringify({ acknowledged, syncs, "late writes": late })}`);
    assert.ok(acknowledged > 0 && syncs > 0 && late > 0, "the histories hold too little to prove anything");
  });
});

describe("The test of touch and sync goes red on", function () {
  this.timeout(180_000);

  for (const [name, variant] of Object.entries(brokenTouches)) {
    it(`${name}, with a shrunk history`, async () => {
      await showShrunkHistory(property(variant), {
        world: "touch",
        runs: RUNS,
        seed,
        bucketSize: 0,
        stepsOf: (history) => history,
      });
    });
  }
});

function property(variant: TouchVariant, worlds?: TouchWorld[]) {
  return fc.asyncProperty(touchSteps, async (history) => {
    const world = new TouchWorld(variant);
    worlds?.push(world);
    await playTouches(world, history);
  });
}
