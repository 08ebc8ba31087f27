import assert from "node:assert/strict";
import fc from "fast-check";
import type { Publication } from "../../base/publication.ts";
import {
  GroupTopicWorld,
  LAST_USER,
  type Step,
  type Variant,
} from "../../testing/worlds/push/group-topic-world.ts";

const user = fc.integer({ min: 0, max: LAST_USER });
const named = (name: "add" | "remove" | "log-in" | "log-out" | "deliver-inbox") =>
  fc.record({ do: fc.constant(name), user });
const plain = (
  name:
    | "post"
    | "confirm"
    | "ask"
    | "look"
    | "answer"
    | "break-link"
    | "lose-topic"
    | "move-topic"
    | "receipt",
) => fc.constant({ do: name });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: plain("post") },
  { weight: 4, arbitrary: named("add") },
  { weight: 4, arbitrary: named("remove") },
  { weight: 6, arbitrary: named("log-in") },
  { weight: 2, arbitrary: named("log-out") },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      how: fc.oneof(
        { weight: 8, arbitrary: fc.constant("first" as const) },
        { weight: 1, arbitrary: fc.constant("second" as const) },
        { weight: 1, arbitrary: fc.constant("lost" as const) },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("publish-again" as const), entry: fc.nat({ max: 60 }) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant("deliver" as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 4, arbitrary: named("deliver-inbox") },
  { weight: 4, arbitrary: plain("confirm") },
  { weight: 8, arbitrary: plain("ask") },
  { weight: 8, arbitrary: plain("look") },
  { weight: 8, arbitrary: plain("answer") },
  { weight: 1, arbitrary: plain("break-link") },
  { weight: 2, arbitrary: plain("lose-topic") },
  { weight: 2, arbitrary: plain("move-topic") },
  { weight: 2, arbitrary: plain("receipt") },
);

const steps = fc.array(step, { minLength: 1, maxLength: 150, size: "max" });

/** How often the runs met what they are for. */
const met = new Map<string, number>();

function run(variant: Variant, what: readonly Step[]): void {
  const world = new GroupTopicWorld(variant);
  for (const one of what) world.act(one);
  world.finish();
  for (const [name, times] of Object.entries(world.met)) met.set(name, (met.get(name) ?? 0) + times);
}

function holds(variant: Variant = {}, numRuns = 2_000): void {
  fc.assert(
    fc.property(steps, (what) => run(variant, what)),
    { numRuns, includeErrorInReport: true },
  );
}

const withMark = (event: Publication, mark: Partial<Publication["group"]>): Publication =>
  event.group ? { ...event, group: { ...event.group, ...mark } } : event;

describe("GroupTopic, whatever happens in whatever order", () => {
  it("gives no entry to anyone who may not see it, and leaves nobody who may without it or a word", () => {
    holds();
    for (const [what, times] of met) assert.ok(times > 0, `no run met ${what}`);
  }).timeout(60_000);

  it("fails if events are forwarded on arrival, whatever members_seq they name", () => {
    const seen = (event: Publication) => withMark(event, { membersSeq: 0 });
    assert.throws(() => holds({ seen }), /leak: /);
  }).timeout(60_000);

  it("fails if members are read before the topic is subscribed to", () => {
    assert.throws(() => holds({ readsBeforeSubscribed: true }), /hole: /);
  }).timeout(60_000);

  it("fails if those who were removed are kept", () => {
    const seen = (event: Publication) => {
      const { change } = event.group ?? {};
      return change ? withMark(event, { change: { added: change.added, removed: [] } }) : event;
    };
    assert.throws(() => holds({ seen }), /leak: /);
  }).timeout(60_000);
});
