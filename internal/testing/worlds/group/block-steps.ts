import fc from "fast-check";
import { advance, type DriverStep, playSteps } from "../history/history-driver.ts";
import { type BlockWorld, PAIR } from "./block-world.ts";

/** One thing that happens in a BlockWorld. Numbers are taken modulo what there is. */
export type BlockStep =
  | { readonly what: "send"; readonly user: number; readonly server: number }
  | { readonly what: "retry"; readonly post: number; readonly server: number }
  | { readonly what: "block"; readonly user: number; readonly isBlocked: boolean; readonly server: number }
  | { readonly what: "crash"; readonly server: number }
  | { readonly what: "pull"; readonly user: number };

const server = fc.nat(1);
const user = fc.nat(1);

/** Blocks are twice as often set as taken back, so that there is time under one. */
const step: fc.Arbitrary<BlockStep | DriverStep> = fc.oneof(
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
export function playBlocks(world: BlockWorld, history: readonly (BlockStep | DriverStep)[]): Promise<void> {
  return playSteps<BlockStep>(world, history, (step) => begin(world, step));
}

/** Begins a step and does not wait for it. Undefined where there is nothing to do. */
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
  }
}
