import assert from "node:assert/strict";
import { createLog } from "../../base/log.ts";
import { groupTopic, inbox, type Topic } from "../../base/publication.ts";
import { rendezvousOwner } from "../../base/rendezvous.ts";
import { ChannelService } from "../../channel/service.ts";
import { FakeGroup } from "../../testing/fakes/neighbours/fake-group.ts";
import { FakeRing } from "../../testing/fakes/neighbours/fake-ring.ts";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import {
  FakeMessages,
  FakeThreads,
  NO_PRESENCE,
  PushWorld,
  threadOf,
} from "../../testing/worlds/push/push-world.ts";
import type { Channel, ChannelLink } from "../ports.ts";
import { PushServer } from "../service.ts";

const NAMES = ["channel-0", "channel-1", "channel-2"];
const USERS = Array.from({ length: 60 }, (_, at) => `user-${at}`);
const ownerOf = (topic: Topic, names: readonly string[] = NAMES) =>
  rendezvousOwner(
    names.map((name) => ({ name })),
    topic,
  )?.name;

/** A push server with a session of each user, over three channel instances; each user is in three of 30 groups. */
async function made() {
  const [clock, loop] = [new FakeClock(), new ManualLoop()];
  const [messages, threads] = [new FakeMessages(), new FakeThreads()];
  const groups = Array.from({ length: 30 }, (_, at) => {
    const members = Array.from({ length: 6 }, (_member, more) => USERS[(2 * at + more) % USERS.length] ?? "");
    return new FakeGroup({ messages, threads }, threadOf(at + 1), members);
  });
  const counts = { reads: 0 };
  const answer = messages.memberships;
  messages.memberships = (...asked) => {
    counts.reads++;
    return answer(...asked);
  };
  const ring = new FakeRing(NAMES);
  const instances = new Map(
    NAMES.map((name, at) => {
      const lease = { incarnation: at + 1, isSure: () => true };
      return [name, new ChannelService({ clock, tick: loop.tick, lease })] as const;
    }),
  );
  const channel: Channel = {
    ring,
    attach: ({ name }, link): ChannelLink => {
      const instance = instances.get(name);
      if (instance) return instance.attach(link);
      loop.tick(() => link.closed());
      const never = () => new Promise<never>(() => {});
      return { announce: never, subscribe: never, unsubscribe: () => {}, close: async () => {} };
    },
  };
  const server = new PushServer({
    messages,
    threads,
    channel,
    presence: NO_PRESENCE,
    clock,
    log: createLog({ level: "silent" }),
    config: { name: "push", capacity: 1_000 },
    tick: loop.tick,
  });
  const opener = new PushWorld();
  const streams = new Map<string, FakeByteStream>();
  for (const [at, user] of USERS.entries())
    streams.set(user, await opener.live(user, at + 1, { openByMs: clock.nowMs() + 60_000 }, server));
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500);
      await loop.settle();
    }
  };
  await pass(1_000);
  /** Its links break, and it answers no more; its lease runs out later. */
  const crash = async (name: string) => {
    const service = instances.get(name);
    instances.delete(name);
    service?.leaseLost();
    await pass(3_000);
  };
  /** Syncs and reads of groups since the last time. */
  const take = () => {
    const [syncs, reads] = [threads.asked.splice(0).length, counts.reads];
    counts.reads = 0;
    return { syncs, reads };
  };
  const publish = async (group: FakeGroup) => {
    const event = group.post("zed");
    for (const instance of instances.values()) instance.broadcast(event);
    await loop.settle();
  };
  return { ring, groups, streams, pass, crash, take, publish };
}

describe("A push server over several channel instances", () => {
  it("asks Sync for the sessions alone whose inbox an instance held that died, and reads its groups once each", async () => {
    const { ring, groups, pass, crash, take } = await made();
    assert.equal(take().syncs, USERS.length);
    await crash("channel-1");
    ring.remove("channel-1");
    await pass(5_000);
    const inboxes = USERS.filter((user) => ownerOf(inbox(user)) === "channel-1").length;
    const held = groups.filter(({ thread }) => ownerOf(groupTopic(thread)) === "channel-1").length;
    assert.ok(inboxes > 0 && inboxes < USERS.length && held > 0 && held < groups.length);
    assert.deepEqual(take(), { syncs: inboxes, reads: held });
  });

  it("tells members of a group whose instance died what they have missed, and nobody else", async () => {
    const { ring, groups, streams, pass, crash, publish } = await made();
    const [missed = assert.fail()] = groups.filter(
      ({ thread }) => ownerOf(groupTopic(thread)) === "channel-1",
    );
    await crash("channel-1");
    missed.post("zed");
    ring.remove("channel-1");
    await pass(5_000);
    const behind = USERS.filter((user) => (streams.get(user)?.of("behind").length ?? 0) > 0);
    assert.deepEqual(
      behind,
      USERS.filter((user) => missed.members.has(user)),
    );
    await publish(missed);
    for (const user of behind)
      assert.deepEqual(
        streams
          .get(user)
          ?.of("entry")
          .map(({ seq }) => Number(seq)),
        [3],
        user,
      );
  });
});
