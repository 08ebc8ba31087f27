import assert from "node:assert/strict";
import fc from "fast-check";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import type { WrittenStep } from "../history/history-file.ts";
import { assertHistories, type Histories, showShrunkHistory } from "../history/shrunk-history.ts";
import { brokenGroups } from "./broken-groups.ts";
import { groupSteps, playGroup } from "./group-steps.ts";
import { type GroupVariant, GroupWorld } from "./group-world.ts";

const RUNS = 1_000;

const seed = testSeed();

const histories = (bucketSize: number): Histories<readonly WrittenStep[]> => ({
  world: "group",
  runs: RUNS,
  seed,
  bucketSize,
  stepsOf: (history) => history,
});

describe("Appends and changes of a group under every interleaving (docs/design.md, sections 5 to 7)", function () {
  this.timeout(180_000);

  for (const bucketSize of [1, 2]) {
    it(`are judged by the members there, at a bucket size of ${bucketSize}, ${RUNS} histories`, async () => {
      const worlds: GroupWorld[] = [];
      await assertHistories(property(bucketSize, undefined, worlds), histories(bucketSize));
      const sum = (count: (world: GroupWorld) => number) =>
        worlds.reduce((total, world) => total + count(world), 0);
      const answered = (word: string) =>
        sum(({ answers }) => answers.filter(({ what }) => what.includes(word)).length);
      const seen = {
        sends: sum(({ posts }) => posts.length),
        accepted: sum(({ posts }) => posts.filter(({ accepted }) => accepted.length > 0).length),
        "refused to who is no member": answered("send by"),
        changes: sum(({ changes }) => changes.length),
        "made an entry": sum(({ changes }) => changes.filter(({ seqs }) => seqs.length > 0).length),
        "answered more than once": sum(({ changes }) => changes.filter(({ seqs }) => seqs.length > 1).length),
        "nothing to do": answered("nothing to do"),
        "refused changes": answered("OWNER_REQUIRED") + answered("LAST_OWNER"),
        looks: answered("sees"),
        sealed: sum(({ sealed }) => sealed),
        "late writes": sum(({ points }) => points.lateWrites),
        "stopped servers": sum(({ points }) => points.stoppedServers),
      };
      console.log(`      ${JSON.stringify(seen)}`);
      for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no history had ${what}`);
    });
  }
});

describe("The test of appends and changes of a group goes red on", function () {
  this.timeout(180_000);

  for (const [name, variant] of Object.entries(brokenGroups)) {
    it(`${name}, with a shrunk history`, async () => {
      await showShrunkHistory(property(2, variant), histories(2));
    });
  }
});

function property(bucketSize: number, variant?: GroupVariant, worlds?: GroupWorld[]) {
  return fc.asyncProperty(groupSteps, async (history) => {
    const world = new GroupWorld(bucketSize, variant);
    worlds?.push(world);
    await playGroup(world, history);
  });
}
