import assert from "node:assert/strict";
import fc from "fast-check";
import { HeddleError } from "../base/heddle-error.ts";
import type { Fate } from "../testing/worlds/interleaving.ts";
import { OTHERS, type PageVariant, SyncWorld } from "../testing/worlds/touch/sync-world.ts";
import { GROUPS } from "../testing/worlds/touch/sync-world-groups.ts";

const RUNS = 500;

/** HEDDLE_TEST_SEED repeats a run; the seed is printed when one fails. */
const seed = Number(process.env.HEDDLE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

type Step = (world: SyncWorld) => Promise<unknown> | undefined;

function named(name: string, step: Step): Step {
  return Object.assign(step, { toString: () => name });
}

const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fate>("go") },
  { weight: 1, arbitrary: fc.constantFrom<Fate>("lost", "late") },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(...OTHERS)
      .map((other) => named(`send ${other}`, (world) => world.send(other))),
  },
  ...(["post", "move", "grow"] as const).map((what) => ({
    weight: { post: 4, move: 2, grow: 1 }[what],
    arbitrary: fc
      .constantFrom(...GROUPS)
      .map((group) => named(`${what} ${group}`, (world) => world[what](group))),
  })),
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(2), fc.integer({ min: 1, max: 3 }))
      .map(([at, size]) => named(`sync ${at} by ${size}`, (world) => world.sync(at, size))),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 50 }).map((seconds) =>
      named(`pass ${seconds} s`, (world) => {
        world.clock.advance(seconds * 1000);
        return undefined;
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -7_200, max: 7_200 }).map((seconds) =>
      named(`jump ${seconds} s`, (world) => {
        world.jump(seconds * 1000);
        return undefined;
      }),
    ),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.nat(5), fc.integer({ min: 1, max: 6 }), fate)
      .map(([pick, times, last]) =>
        named(`advance ${pick} ${times} times, ${last}`, (world) => advance(world, pick, times, last)),
      ),
  },
);

/** Docs/design.md, section 6, with one rule missing: the property must see each lose something. */
const broken: Readonly<Record<string, PageVariant>> = {
  "large groups are not listed": (page) => ({ ...page, large: [] }),
  "only some of the large groups are listed": (page) => ({
    ...page,
    large: page.large.slice(0, 1),
    hasMore: page.hasMore && page.large.length === 0,
  }),
  "those who have left are not listed": (page) => ({
    ...page,
    rows: page.rows.filter(({ group }) => !group?.left),
  }),
};

describe("Sync", function () {
  this.timeout(60_000);

  it(`misses no accepted entry, whatever comes between its pages, ${RUNS} histories`, async () => {
    const counts = { syncs: 0, accepted: 0 };
    await fc.assert(missesNothing(undefined, counts), { numRuns: RUNS, seed });
    const { syncs, accepted } = counts;
    assert.ok(syncs > RUNS && accepted > RUNS, `${syncs} syncs of ${accepted} entries prove little`);
  });

  for (const [name, variant] of Object.entries(broken)) {
    it(`would miss one if ${name}`, async () => {
      const { failed } = await fc.check(missesNothing(variant), {
        numRuns: 10 * RUNS,
        seed,
        endOnFailure: true,
      });
      assert.ok(failed, "nothing was missed");
    });
  }
});

function missesNothing(variant?: PageVariant, counts = { syncs: 0, accepted: 0 }) {
  return fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
    const world = new SyncWorld(variant);
    await world.prepare();
    const faults: unknown[] = [];
    for (const next of steps) await started(next(world), faults, next.toString().startsWith("advance"));
    await world.finish();
    assert.deepEqual(faults, []);
    counts.syncs += world.syncs;
    for (const seq of world.accepted.values()) counts.accepted += seq;
  });
}

/** Waits for what lets calls go on; calls themselves stand still, so nobody waits for them. */
async function started(call: Promise<unknown> | undefined, faults: unknown[], waits: boolean): Promise<void> {
  const noted = call?.catch((error) => {
    if (!(error instanceof HeddleError)) faults.push(error);
  });
  if (waits) await noted;
}

async function advance(world: SyncWorld, pick: number, times: number, last: Fate): Promise<void> {
  for (let turn = 1; turn <= times; turn++) {
    await world.points.advance(pick, turn === times ? last : "go");
  }
}
