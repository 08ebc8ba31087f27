import { equalBytes } from "../../../base/ids.ts";
import { MemberRole } from "../../../gen/heddle/message/v1/entry_pb.js";
import { sendOf } from "../contract-coverage/send-request.ts";
import type { EventKind, EventValue, RawStream } from "../raw-stream.ts";
import { type Asker, USERS } from "./asker.ts";
import type { Case } from "./calls.ts";
import { FRAMES } from "./frames.ts";
import { requestId, settled, type World } from "./world.ts";

/** Ann does something of which events of this kind tell; resolves when it is told. */
type Doing = (world: World) => Promise<unknown>;

/** Ann sends on her stream; resolves when it is accepted, that is: published. */
const send = (world: World, to: Uint8Array | string) => {
  const sent = sendOf(to, "news");
  world.ann.say({ case: "send", value: sent as never });
  return world.ann.next("accepted", ({ clientId }) => equalBytes(clientId, sent.clientId));
};

/** All who might wrongly hear: each has a stream open while ann acts. */
const HEARERS = [
  "member",
  "returned",
  "ex-member",
  "never-member",
  "blocked",
  "blocker",
  "stranger",
] as const;

/**
 * A case for an event of Ann's doing in the group and in the direct threads with the others. She does it once, for all
 * askers: `typing` gets through once in 3 s.
 */
function heard<K extends EventKind>(
  kind: K,
  isAnns: (event: EventValue<K>, world: World) => boolean,
  doing: Doing,
): Case {
  const outcomes = new WeakMap<World, Promise<ReadonlyMap<Asker, string>>>();
  const hear = async (world: World) => {
    const isIt = (event: EventValue<K>) => isAnns(event, world);
    const streams = await Promise.all(HEARERS.map((asker) => world.session(USERS[asker], "events")));
    await doing(world);
    await streams[0]?.next(kind, isIt); // The members have it: it is on its way to nobody any more.
    await Promise.all(streams.map(settled));
    const hasHeard = ({ events }: RawStream) =>
      events.some((event) => event.kind.case === kind && isIt(event.kind.value as EventValue<K>));
    return new Map(streams.map((stream, at) => [HEARERS[at] as Asker, hasHeard(stream) ? "yes" : "none"]));
  };
  return async (world, asker) => {
    const all = outcomes.get(world) ?? hear(world);
    outcomes.set(world, all);
    return (await all).get(asker) ?? "not asked";
  };
}

/** Whether an event tells of ann. */
const ofAnn = ({ userId }: { readonly userId: string }) => userId === "ann";

/** By what a session is told anyway. */
const onOwnStream =
  (kind: EventKind, provoke: (stream: RawStream, world: World, asker: Asker) => unknown): Case =>
  async (world, asker) => {
    const stream = await world.session(USERS[asker], `own-${kind.toLowerCase()}`);
    await provoke(stream, world, asker);
    if (!stream.events.some((event) => event.kind.case === kind)) await stream.next(kind);
    return "own";
  };

/** Ann says a frame for the group and for the direct threads of the pairs. */
const everywhere = (frame: (threadId: Uint8Array) => Parameters<RawStream["say"]>[0]): Doing => {
  return async (world) => {
    for (const asker of ["blocked", "blocker", "member"] as const)
      world.ann.say(frame(world.threadOf(asker)));
    await settled(world.ann);
  };
};

/** By the names of the events in docs/authorization.md. */
export const EVENTS: Record<string, Case> = {
  opened: onOwnStream("opened", () => {}),
  caught_up: onOwnStream("caughtUp", () => {}),
  accepted: onOwnStream("accepted", (stream) => settled(stream)),
  refused: onOwnStream("refused", (stream) =>
    stream.say({ case: "send", value: sendOf(new Uint8Array(16), "hi") as never }),
  ),
  pong: onOwnStream("pong", (stream) => stream.say({ case: "ping", value: {} as never })),
  draining: onOwnStream("draining", (_stream, world, asker) =>
    world.as(USERS[asker]).thread.revokeDevice({ deviceId: "own-draining", requestId: requestId() }),
  ),
  entry: heard(
    "entry",
    ({ sender }) => sender === "ann",
    async (world) => {
      for (const userId of ["bla", "blo"]) {
        await world
          .as("ann")
          .message.send(sendOf(userId, "hi"))
          .catch(() => {}); // Refused.
      }
      await send(world, world.group);
    },
  ),
  receipt: heard("receipt", ofAnn, async (world) => {
    await world.as("bob").message.send(sendOf(world.group, "read this"));
    const { heads } = await world.as("ann").message.getHeads({ threadIds: [world.group] });
    const readSeq = heads[0]?.head?.seq ?? 0n;
    await everywhere((threadId) => ({ case: "receipt", value: { threadId, readSeq } as never }))(world);
  }),
  typing: heard(
    "typing",
    ofAnn,
    everywhere((threadId) => ({ case: "typing", value: { threadId } as never })),
  ),
  thread_changed: heard(
    "threadChanged",
    ({ threadId, thread }, { group }) => thread?.role === MemberRole.OWNER && equalBytes(threadId, group),
    async (world) => {
      const { thread } = world.as("ann");
      const role = { threadId: world.group, userId: "bob" };
      await thread.setMemberRole({ ...role, role: MemberRole.OWNER, requestId: requestId() });
      await thread.setMemberRole({ ...role, role: MemberRole.MEMBER, requestId: requestId() });
    },
  ),
  presence: (world, asker) => FRAMES.watch?.(world, asker) ?? Promise.reject(new Error("there is no watch")),
};
