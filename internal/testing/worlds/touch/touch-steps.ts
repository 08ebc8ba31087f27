import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fate } from "../interleaving.ts";
import { type TouchWorld, WRITERS } from "./touch-world.ts";

/** One thing that happens in a TouchWorld. */
export type TouchStep =
  | { readonly what: "send"; readonly writer: number; readonly points: number }
  | { readonly what: "mute"; readonly writer: number; readonly isMuted: boolean; readonly points: number }
  | { readonly what: "sync"; readonly device: number; readonly points: number }
  | { readonly what: "pass"; readonly seconds: number }
  | { readonly what: "crash"; readonly writes: "late" | "lost" }
  | {
      readonly what: "advance";
      readonly owner: string | undefined;
      readonly pick: number;
      readonly times: number;
      readonly fate: Fate;
    };

const step: fc.Arbitrary<TouchStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("send" as const),
      writer: fc.nat(1),
      points: fc.constantFrom(2, 3, 8, 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant("mute" as const),
      writer: fc.nat(1),
      isMuted: fc.boolean(),
      points: fc.nat(3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("sync" as const),
      device: fc.constant(0),
      points: fc.constantFrom(20, 20, 3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("pass" as const),
      seconds: fc.constantFrom(61, 61, 46, 41, 16, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("crash" as const),
      writes: fc.constantFrom("late" as const, "lost" as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant("advance" as const),
      owner: fc.constantFrom(undefined, "message", "message", "thread", "device 0"),
      pick: fc.nat(3),
      times: fc.integer({ min: 1, max: 12 }),
      fate: fc.oneof(
        { weight: 10, arbitrary: fc.constant<Fate>("go") },
        { weight: 1, arbitrary: fc.constant<Fate>("lost") },
        { weight: 1, arbitrary: fc.constant<Fate>("late") },
      ),
    }),
  },
);

/** A send that is held up somewhere while a device syncs and time passes, of which the server does not live long. */
const heldUp: fc.Arbitrary<TouchStep[]> = fc
  .record({
    points: fc.nat(4),
    passes: fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 3, maxLength: 3 }),
  })
  .map(({ points, passes: [first = 1, second = 1, third = 1] }) => [
    { what: "send", writer: 0, points },
    { what: "pass", seconds: first },
    { what: "sync", device: 0, points: 20 },
    { what: "pass", seconds: second },
    { what: "sync", device: 0, points: 20 },
    { what: "advance", owner: "message", pick: 0, times: 6, fate: "go" },
    { what: "pass", seconds: third },
    { what: "crash", writes: "lost" },
  ]);

/** Short histories: a later send to the same thread would show what an earlier one lost. */
export const touchSteps = fc.oneof(
  { weight: 3, arbitrary: fc.array(step, { maxLength: 24, size: "max" }) },
  { weight: 1, arbitrary: fc.tuple(fc.array(step, { maxLength: 8 }), heldUp).map((parts) => parts.flat()) },
);

/** Plays a history to its end and judges it. Throws AssertionError where an entry or a change is missed. */
export async function playTouches(world: TouchWorld, history: readonly TouchStep[]): Promise<void> {
  await world.prepare();
  const faults: unknown[] = [];
  for (const next of history) {
    if (next.what === "advance") await world.advance(next.owner, next.pick, next.times, next.fate);
    else await begin(world, next, (fault) => faults.push(fault));
  }
  await world.verify();
  assert.deepEqual(faults, [], "a call threw what is not one of our errors");
}

/** Begins a step, and lets its first points pass. */
async function begin(
  world: TouchWorld,
  step: Exclude<TouchStep, { what: "advance" }>,
  onFault: (fault: unknown) => void,
): Promise<void> {
  switch (step.what) {
    case "send":
      world.send(WRITERS[step.writer] ?? "ann").catch(onFault);
      return world.advance("message", 0, step.points, "go");
    case "mute":
      world.mute(WRITERS[step.writer] ?? "ann", step.isMuted).catch(onFault);
      return world.advance("thread", 0, step.points, "go");
    case "sync":
      world.sync(step.device).catch(onFault);
      return world.advance(`device ${step.device}`, 0, step.points, "go");
    case "pass":
      world.pass(step.seconds);
      return;
    case "crash":
      world.crash(step.writes);
  }
}
