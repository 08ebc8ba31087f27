import assert from "node:assert/strict";
import fc from "fast-check";
import { type BlockWorld, PAIR } from "./block-world.ts";
import { type Fate, quiet } from "./interleaving.ts";

/** One thing that happens in a BlockWorld. Numbers are taken modulo what there is. */
export type BlockStep =
  | { readonly what: "send"; readonly user: number; readonly server: number }
  | { readonly what: "retry"; readonly post: number; readonly server: number }
  | { readonly what: "block"; readonly user: number; readonly isBlocked: boolean; readonly server: number }
  | { readonly what: "crash"; readonly server: number }
  | { readonly what: "pull"; readonly user: number }
  | { readonly what: "drain" }
  | { readonly what: "advance"; readonly pick: number; readonly times: number; readonly fate: Fate };

const server = fc.nat(1);
const user = fc.nat(1);

/** Points that go on, of which the first may meet a bad fate. */
export const advance = fc.record({
  what: fc.constant("advance" as const),
  pick: fc.nat(7),
  times: fc.integer({ min: 1, max: 6 }),
  fate: fc.oneof(
    { weight: 10, arbitrary: fc.constant<Fate>("go") },
    { weight: 1, arbitrary: fc.constant<Fate>("lost") },
    { weight: 1, arbitrary: fc.constant<Fate>("late") },
  ),
});

const step: fc.Arbitrary<BlockStep> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("send" as const), user, server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("retry" as const), post: fc.nat(7), server }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant("block" as const),
      user,
      isBlocked: fc.oneof(
        { weight: 2, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      server,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("crash" as const), server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("pull" as const), user }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("drain" as const) }) },
  { weight: 16, arbitrary: advance },
);

/** Histories of up to 80 steps. */
export const blockSteps = fc.array(step, { maxLength: 80, size: "max" });

/** Plays a history to its end and judges it. Throws AssertionError where a promise is broken. */
export async function playBlocks(world: BlockWorld, history: readonly BlockStep[]): Promise<void> {
  const faults: unknown[] = [];
  for (const next of history) {
    if (next.what === "advance") await world.advance(next.pick, next.times, next.fate);
    else if (next.what === "drain") await world.points.drain();
    else begin(world, next)?.catch((fault) => faults.push(fault));
    await quiet();
  }
  await world.finish();
  assert.deepEqual(faults, [], "a call threw what is not one of our errors");
  await world.verify();
}

function begin(world: BlockWorld, step: BlockStep): Promise<void> | undefined {
  switch (step.what) {
    case "send": {
      const post = world.composeNext(PAIR[step.user] ?? "ann");
      return post && world.sendOnce(post, step.server);
    }
    case "retry": {
      const post = world.posts[step.post % Math.max(1, world.posts.length)];
      return post && world.sendOnce(post, step.server);
    }
    case "block":
      return world.setBlock(PAIR[step.user] ?? "ann", step.isBlocked, step.server);
    case "crash":
      world.crash(step.server);
      return undefined;
    case "pull":
      world.pull(PAIR[step.user] ?? "ann");
      return undefined;
    case "drain":
    case "advance":
      return undefined;
  }
}
