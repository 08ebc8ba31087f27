import fc from "fast-check";
import { advance, type DriverStep, playSteps } from "../history/history-driver.ts";
import { type AppendWorld, USERS } from "./append-world.ts";

/** One thing that happens in an AppendWorld. Numbers are taken modulo what there is, so that any shrunk step is one. */
export type Step =
  | { readonly what: "send"; readonly user: number; readonly server: number }
  | { readonly what: "retry"; readonly item: number; readonly server: number }
  | { readonly what: "resolve"; readonly item: number; readonly server: number; readonly seal: boolean }
  | { readonly what: "pull"; readonly user: number }
  | { readonly what: "open"; readonly server: number }
  | { readonly what: "crash"; readonly server: number };

/** Of two servers, so that every history is a race of both. */
const server = fc.nat(1);
/** Which send is repeated or resolved: any of those composed so far. */
const item = fc.nat(7);

/**
 * Most steps only let calls go on: few calls under way at a time would leave nothing to race. Heads are read nearly as
 * often as is sent, since promise 5 is lost between a read and a subscription.
 */
const step: fc.Arbitrary<Step | DriverStep> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant("send" as const), user: fc.nat(1), server }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("retry" as const), item, server }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("resolve" as const), item, server, seal: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("pull" as const), user: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("open" as const), server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("crash" as const), server }) },
  { weight: 24, arbitrary: advance },
);

/** Histories of up to 120 steps. */
export const steps = fc.array(step, { maxLength: 120, size: "max" });

/** Sends of one history: more would make the logs longer, not the races richer. */
const MAX_ITEMS = 6;

/** Plays a history to its end and judges it. Throws AssertionError where a promise is broken. */
export function play(world: AppendWorld, history: readonly (Step | DriverStep)[]): Promise<void> {
  const rest = async () => {
    await world.rest();
    // Between any two steps, not only at the end: what is acknowledged must be in the store already.
    await world.verifyDurable();
  };
  return playSteps<Step>(world, history, (step) => begin(world, step), rest);
}

/** Begins a step and does not wait for it: its calls stop at points. Undefined where there is nothing to do. */
function begin(world: AppendWorld, step: Step): Promise<void> | undefined {
  const known = "item" in step ? world.items[step.item % Math.max(1, world.items.length)] : undefined;
  switch (step.what) {
    case "send": {
      if (world.items.length >= MAX_ITEMS) return undefined;
      const composed = world.compose(USERS[step.user] ?? "ann", `text ${world.items.length}`);
      return world.send(composed, step.server);
    }
    case "retry":
      return known ? world.send(known, step.server) : undefined;
    case "resolve":
      return known ? world.resolve(known, step.server, step.seal) : undefined;
    case "pull":
      return world.pull(USERS[step.user] ?? "ann");
    case "open":
      return world.open(step.server);
    case "crash":
      world.crash(step.server);
      return undefined;
  }
}
