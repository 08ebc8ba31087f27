import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fate, type Interleaving, quiet } from "../interleaving.ts";

/** Steps that every world has: calls that wait go on, or all do until nothing waits. */
export type DriverStep =
  | { readonly what: "advance"; readonly pick: number; readonly times: number; readonly fate: Fate }
  | { readonly what: "drain" };

/** A world in which histories are played. */
export interface DrivenWorld {
  readonly points: Interleaving;
  advance(pick: number, times: number, fate: Fate): Promise<void>;
  /** Lets everything come to rest, and brings each call to an end. */
  finish(): Promise<void>;
  /** Throws AssertionError where what was seen breaks a promise. */
  verify(): Promise<void>;
}

/** Points that go on, of which the first may meet a bad fate. */
export const advance = fc.record({
  what: fc.constant("advance" as const),
  pick: fc.nat(7),
  times: fc.integer({ min: 1, max: 6 }),
  fate: fc.oneof(
    { weight: 9, arbitrary: fc.constant<Fate>("go") },
    { weight: 1, arbitrary: fc.constant<Fate>("lost") },
    { weight: 1, arbitrary: fc.constant<Fate>("late") },
  ),
});

/**
 * Plays steps to their end and judges the world. `begin` starts a step of the world's own and does not wait for it;
 * `rest` is what happens between steps. Throws AssertionError where a promise is broken.
 */
export async function playSteps<S extends { readonly what: string }>(
  world: DrivenWorld,
  steps: readonly (S | DriverStep)[],
  begin: (step: S) => Promise<void> | undefined,
  rest: () => Promise<void> = quiet,
): Promise<void> {
  const faults: unknown[] = [];
  for (const next of steps) {
    if (isAdvance(next)) await world.advance(next.pick, next.times, next.fate);
    else if (next.what === "drain") await world.points.drain();
    else begin(next as S)?.catch((fault) => faults.push(fault));
    await rest();
  }
  await world.finish();
  assert.deepEqual(faults, [], "a call threw what is not one of our errors");
  await world.verify();
}

function isAdvance(step: { readonly what: string }): step is DriverStep & { readonly what: "advance" } {
  return step.what === "advance";
}
