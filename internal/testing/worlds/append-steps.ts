import assert from "node:assert/strict";
import fc from "fast-check";
import { type AppendWorld, USERS } from "./append-world.ts";
import type { Fate } from "./interleaving.ts";

/** One thing that happens in an AppendWorld. Numbers are taken modulo what there is, so that any shrunk step is one. */
export type Step =
  | { readonly what: "send"; readonly user: number; readonly server: number }
  | { readonly what: "retry"; readonly item: number; readonly server: number }
  | { readonly what: "resolve"; readonly item: number; readonly server: number; readonly seal: boolean }
  | { readonly what: "pull"; readonly user: number }
  | { readonly what: "open"; readonly server: number }
  | { readonly what: "crash"; readonly server: number }
  | { readonly what: "advance"; readonly pick: number; readonly times: number; readonly fate: Fate };

const server = fc.nat(1);
const item = fc.nat(7);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ what: fc.constant("send" as const), user: fc.nat(1), server }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("retry" as const), item, server }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("resolve" as const), item, server, seal: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("pull" as const), user: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("open" as const), server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("crash" as const), server }) },
  {
    weight: 24,
    arbitrary: fc.record({
      what: fc.constant("advance" as const),
      pick: fc.nat(7),
      times: fc.integer({ min: 1, max: 6 }),
      fate: fc.oneof(
        { weight: 8, arbitrary: fc.constant<Fate>("go") },
        { weight: 1, arbitrary: fc.constant<Fate>("lost") },
        { weight: 1, arbitrary: fc.constant<Fate>("late") },
      ),
    }),
  },
);

/** Histories of up to 120 steps. */
export const steps = fc.array(step, { maxLength: 120, size: "max" });

/** Sends of one history: more would make the logs longer, not the races richer. */
const MAX_ITEMS = 6;

/** Plays a history to its end and judges it. Throws AssertionError where a promise is broken. */
export async function play(world: AppendWorld, history: readonly Step[]): Promise<void> {
  const faults: unknown[] = [];
  for (const next of history) {
    if (next.what === "advance") await world.advance(next.pick, next.times, next.fate);
    else begin(world, next)?.catch((fault) => faults.push(fault));
    await world.rest();
    await world.verifyDurable();
  }
  await world.finish();
  assert.deepEqual(faults, [], "a call threw what is not one of our errors");
  await world.verify();
}

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
    case "advance":
      return undefined;
  }
}
