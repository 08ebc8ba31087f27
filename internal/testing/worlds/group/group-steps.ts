import fc from "fast-check";
import type { GroupChange } from "../../../base/group.ts";
import { advance, type DriverStep, playSteps } from "../history/history-driver.ts";
import { type GroupWorld, MEMBERS } from "./group-world.ts";

/** One thing that happens in a GroupWorld. Numbers are taken modulo what there is. */
export type GroupStep =
  | { readonly what: "send"; readonly user: number; readonly server: number }
  | { readonly what: "retry"; readonly post: number; readonly server: number }
  | { readonly what: "change"; readonly user: number; readonly change: GroupChange; readonly server: number }
  | { readonly what: "ask again"; readonly change: number; readonly server: number }
  | { readonly what: "seal"; readonly post: number; readonly server: number }
  | { readonly what: "look"; readonly user: number; readonly server: number }
  | { readonly what: "crash"; readonly server: number }
  | { readonly what: "pull"; readonly user: number }
  | { readonly what: "pass"; readonly seconds: number }
  /** First of all: the group is made before anything else happens. */
  | { readonly what: "group is there" };

/** Of two servers, so that every history is a race of both. */
const server = fc.nat(1);
const user = fc.nat(3);
const name = fc.constantFrom(...MEMBERS);
/** One or two at a time: a change of several is one entry, and must be seen as one. */
const some = fc.uniqueArray(name, { minLength: 1, maxLength: 2 });

/** Most changes bring somebody or take somebody away: those decide who may write and see. */
const change: fc.Arbitrary<GroupChange> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("add" as const), userIds: some }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), userIds: some }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("role" as const),
      userId: name,
      role: fc.constantFrom("owner" as const, "member" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("rename" as const), name: fc.constantFrom("one", "two") }),
  },
);

/** `pass` leaps over 45 s and 60 s, where touches stop counting and stop lasting. */
const step: fc.Arbitrary<GroupStep | DriverStep> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constant("send" as const), user, server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("retry" as const), post: fc.nat(7), server }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("change" as const), user, change, server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("ask again" as const), change: fc.nat(7), server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("seal" as const), post: fc.nat(7), server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("look" as const), user, server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("crash" as const), server }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("pull" as const), user }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("pass" as const), seconds: fc.constantFrom(46, 61, 20) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("drain" as const) }) },
  { weight: 18, arbitrary: advance },
);

/** Histories of up to 80 steps, which begin with a group that is there or is only being made. */
export const groupSteps = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    fc.array(step, { maxLength: 80, size: "max" }),
  )
  .map(([isThere, rest]): readonly (GroupStep | DriverStep)[] =>
    isThere ? [{ what: "group is there" }, ...rest] : rest,
  );

/** Sends, and changes, of one history: more would make the logs longer, not the races richer. */
const MAX_POSTS = 8;
const MAX_CHANGES = 8;

/** Plays a history to its end and judges it. Throws AssertionError where a promise is broken. */
export async function playGroup(
  world: GroupWorld,
  history: readonly (GroupStep | DriverStep)[],
): Promise<void> {
  let fault: unknown;
  // Not awaited at the end: where its server is stopped it never comes back.
  const creating = world.create(0).catch((error) => {
    fault = error;
  });
  if (history[0]?.what === "group is there") await world.drain(creating);
  await playSteps<GroupStep>(world, history, (step) => begin(world, step));
  if (fault) throw fault;
}

/** Begins a step and does not wait for it. Undefined where there is nothing to do. */
function begin(world: GroupWorld, step: GroupStep): Promise<void> | undefined {
  const userId = "user" in step ? (MEMBERS[step.user] ?? "ann") : "ann";
  switch (step.what) {
    case "send":
      return world.posts.length < MAX_POSTS ? world.sendOnce(world.compose(userId), step.server) : undefined;
    case "retry": {
      const post = world.posts[step.post % Math.max(1, world.posts.length)];
      return post && world.sendOnce(post, step.server);
    }
    case "change": {
      if (world.changes.length >= MAX_CHANGES) return undefined;
      return world.ask(world.composeChange(userId, step.change), step.server);
    }
    case "ask again": {
      const asked = world.changes[step.change % Math.max(1, world.changes.length)];
      return asked && world.ask(asked, step.server);
    }
    case "seal": {
      const post = world.posts[step.post % Math.max(1, world.posts.length)];
      return post && world.sealOnce(post, step.server);
    }
    case "look":
      return world.look(userId, step.server);
    case "crash":
      world.crash(step.server);
      return undefined;
    case "pull":
      world.pull(userId);
      return undefined;
    case "pass":
      world.pass(step.seconds);
      return undefined;
    case "group is there":
      return undefined;
  }
}
