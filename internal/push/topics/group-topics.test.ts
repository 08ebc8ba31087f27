import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { createLog } from "../../base/log.ts";
import { groupTopic, inbox } from "../../base/publication.ts";
import { FakeGroup } from "../../testing/fakes/neighbours/fake-group.ts";
import { RemoteChannel } from "../../testing/fakes/neighbours/remote-channel.ts";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import { describePushWorlds, PushWorld, threadOf } from "../../testing/worlds/push/push-world.ts";
import { READS_AT_ONCE, SUBSCRIBE_WAIT_MS } from "../limits.ts";
import type { Membership } from "../ports.ts";
import { PushServer } from "../service.ts";

const T = threadOf(1);

const seqs = (stream: FakeByteStream) => stream.of("entry").map(({ seq }) => Number(seq));
const heads = (stream: FakeByteStream) => stream.of("behind").map(({ head }) => Number(head?.seq));
const caughtUps = (stream: FakeByteStream) => stream.of("caughtUp").length;

/** Calls of `membership`, held until a test lets them go on. */
function holdMemberships(world: PushWorld): (() => void)[] {
  const held: (() => void)[] = [];
  const answer = world.messages.memberships;
  world.messages.memberships = async (threadId, userIds) => {
    await new Promise<void>((resolve) => held.push(resolve));
    return answer(threadId, userIds);
  };
  return held;
}

/** A push server whose link the test holds, and bob, a member of a group, who has said `open`. */
async function opening() {
  const world = new PushWorld();
  const group = new FakeGroup(world, T, ["ann", "bob"]);
  const channel = new RemoteChannel();
  const { messages, threads, clock, loop, presence } = world;
  const log = createLog({ level: "silent" });
  const config = { name: "push", capacity: 10 };
  const server = new PushServer({
    messages,
    threads,
    channel,
    presence,
    clock,
    log,
    config,
    tick: loop.tick,
  });
  const bob = await world.live("bob", 1, {}, server);
  const confirm = async (at: number) => {
    channel.asked[at]?.settle();
    await loop.settle();
  };
  const asked = () => channel.asked.map(({ topic }) => topic);
  return { world, group, channel, server, bob, confirm, asked };
}

describePushWorlds("Group topics", (worldOf) => {
  it("are subscribed to after the inbox, members are read after that, and then Sync is asked", async () => {
    const { world, bob, confirm, asked } = await opening();
    const held = holdMemberships(world);
    assert.deepEqual(asked(), [inbox("bob")]);
    await confirm(0);
    assert.deepEqual([asked(), held.length], [[inbox("bob"), groupTopic(T)], 0]);
    await confirm(1);
    assert.deepEqual([held.length, world.threads.asked.length, bob.kinds], [1, 0, ["opened"]]);
    held[0]?.();
    await world.loop.settle();
    assert.deepEqual([world.threads.asked.length, bob.kinds], [1, ["opened", "caughtUp"]]);
  });

  it("that are late hold a session up for 2 s in all; then they make it compare, and are forwarded", async () => {
    const { world, group, channel, bob, confirm } = await opening();
    await confirm(0);
    await world.advance(SUBSCRIBE_WAIT_MS + 500);
    assert.deepEqual(bob.kinds, ["opened", "caughtUp"]);
    channel.links[0]?.deliver(group.post("ann"), [groupTopic(T)]);
    await world.loop.settle();
    assert.deepEqual(bob.kinds, ["opened", "caughtUp"], "nothing before the members are known");
    await confirm(1);
    assert.deepEqual(bob.kinds, ["opened", "caughtUp", "caughtUp"]);
    channel.links[0]?.deliver(group.post("ann"), [groupTopic(T)]);
    await world.loop.settle();
    assert.deepEqual(seqs(bob), [3]);
  });

  it("are subscribed to once for all sessions; the one that sent gets no entry, its user's others do", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann", "bob"]);
    const phone = await world.live("bob", 1);
    const tablet = await world.live("bob", 2, { deviceId: "tablet" });
    const ann = await world.live("ann", 3);
    assert.equal(world.channel.topics, 3);
    await world.publish(group.post("bob", "01".repeat(16)));
    assert.deepEqual([seqs(phone), seqs(tablet), seqs(ann), world.server.deliveries], [[], [2], [2], 1]);
    for (const stream of [phone, tablet]) stream.drop();
    await world.loop.settle();
    assert.equal(world.channel.topics, 2);
    ann.drop();
    await world.loop.settle();
    assert.equal(world.channel.topics, 0);
  });

  it("of a group that a user joins while live begin with its entry, and the user compares", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann"]);
    const bob = await world.live("bob", 1);
    await world.publish(group.post("ann"));
    await world.publish(group.change(["bob"], []));
    assert.deepEqual([caughtUps(bob), seqs(bob)], [2, [3]]);
    await world.publish(group.post("ann"));
    assert.deepEqual(seqs(bob), [3, 4]);
  });

  it("that others here are in take a newcomer in without a call, and its entry comes once", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann"]);
    const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
    const held = holdMemberships(world);
    await world.publish(group.change(["bob"], []));
    await world.publish(group.post("ann"));
    assert.deepEqual([held.length, seqs(ann), seqs(bob), caughtUps(bob)], [0, [2, 3], [2, 3], 2]);
  });

  it("are left with the entry that removes the last one here", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann", "bob"]);
    const bob = await world.live("bob", 1);
    await world.publish(group.change([], ["bob"]));
    assert.equal(world.channel.topics, 1);
    await world.publish(group.post("ann"));
    assert.deepEqual(seqs(bob), [2]);
  });

  it("are compared with behind when an entry is missed, once whatever is missed while members are read", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann", "bob", "cyn"]);
    const [ann, cyn] = [await world.live("ann", 1), await world.live("cyn", 2)];
    group.post("bob");
    await world.publish(group.post("bob"));
    assert.deepEqual([heads(ann), heads(cyn)], [[3], [3]]);
    const held = holdMemberships(world);
    group.change([], ["cyn"]);
    await world.publish(group.post("bob"));
    await world.publish(group.post("bob"));
    held[0]?.();
    await world.loop.settle();
    assert.deepEqual([heads(ann), heads(cyn), caughtUps(ann), caughtUps(cyn)], [[3, 6], [3], 1, 2]);
    await world.publish(group.post("bob"));
    assert.deepEqual([seqs(ann), seqs(cyn)], [[7], []]);
  });

  it("go on after members could not be read for a while, and are asked for again less and less often", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann", "bob"]);
    const answer = world.messages.memberships;
    let calls = 0;
    world.messages.memberships = (threadId, userIds) => {
      if (++calls <= 6) throw new HeddleError(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, "away");
      return answer(threadId, userIds);
    };
    const bob = await world.live("bob", 1);
    for (let tenth = 0; tenth < 10; tenth++) await world.advance(100);
    assert.equal(calls, 4, "at 0, 100, 300 and 700 ms");
    for (let second = 0; second < 10; second++) await world.advance(1_000);
    assert.deepEqual([calls, bob.kinds], [7, ["opened", "caughtUp", "caughtUp"]]);
    await world.publish(group.post("ann"));
    assert.deepEqual(seqs(bob), [2]);
  });

  it("are given up when there is no such group, and hold nobody up", async () => {
    const world = worldOf();
    world.threads.memberOf.set("bob", [T]);
    const bob = await world.live("bob", 1);
    assert.deepEqual([bob.kinds, world.channel.topics], [["opened", "caughtUp"], 1]);
  });

  it("are listed again when that failed", async () => {
    const world = worldOf();
    const group = new FakeGroup(world, T, ["ann", "bob"]);
    const list = world.threads.groups.bind(world.threads);
    let calls = 0;
    world.threads.groups = async (userId) => {
      if (++calls === 1) throw new HeddleError(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, "away");
      return list(userId);
    };
    const bob = await world.live("bob", 1);
    await world.advance(500);
    await world.publish(group.post("ann"));
    assert.deepEqual([bob.kinds, calls], [["opened", "caughtUp", "entry"], 2]);
  });

  it("are read for so many groups at a time, and for all users of one group together", async () => {
    const world = worldOf();
    const groups = Array.from({ length: 3 * READS_AT_ONCE }, (_, at) => threadOf(100 + at));
    const users = ["ann", "bob", "cyn"];
    for (const thread of groups) new FakeGroup(world, thread, users);
    const held = holdMemberships(world);
    const asked: number[] = [];
    const answer = world.messages.memberships;
    world.messages.memberships = (threadId, userIds) => {
      asked.push(userIds.length);
      return answer(threadId, userIds);
    };
    const streams = await Promise.all(users.map((userId, at) => world.live(userId, at)));
    assert.equal(held.length, READS_AT_ONCE);
    while (held.length > 0) {
      held.shift()?.();
      await world.loop.settle();
      assert.ok(held.length <= READS_AT_ONCE);
    }
    assert.ok(asked.length <= groups.length + READS_AT_ONCE, `${asked.length} calls`);
    for (const stream of streams) assert.deepEqual(stream.kinds, ["opened", "caughtUp"]);
  });

  describe("when the channel service closes the link", () => {
    it("are subscribed to and read anew, every session compares, who left meanwhile again, and gets nothing", async () => {
      const world = worldOf({ linkBytes: 4_000 });
      const group = new FakeGroup(world, T, ["ann", "bob"]);
      const other = new FakeGroup(world, threadOf(2), ["ann"]);
      const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
      other.change(["bob"], []); // Of which nothing arrives.
      const big = { ...group.change([], ["ann"]), frame: new Uint8Array(8_000) };
      await world.channel.publish(big);
      assert.equal(world.channel.counters.linksLost, 1);
      await world.loop.settle();
      await world.publish(group.post("bob"));
      await world.publish(other.post("cyn"));
      assert.deepEqual([seqs(ann), seqs(bob)], [[3], [3, 3]]);
      await world.advance(SUBSCRIBE_WAIT_MS);
      assert.deepEqual([caughtUps(ann), caughtUps(bob)], [3, 2]);
    });

    it("are listed anew: that holds back no compare for more than 2 s, and makes the session compare again", async () => {
      const { world, channel, bob, confirm, asked } = await opening();
      for (const at of [0, 1]) await confirm(at);
      channel.links[0]?.closed();
      await world.loop.settle();
      const list = world.threads.groups.bind(world.threads);
      let go = () => {};
      world.threads.groups = async (userId) => {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        return list(userId);
      };
      await confirm(asked().lastIndexOf(inbox("bob")));
      assert.equal(caughtUps(bob), 1);
      await world.advance(SUBSCRIBE_WAIT_MS);
      assert.equal(caughtUps(bob), 2);
      go();
      await world.loop.settle();
      assert.equal(caughtUps(bob), 3);
    });

    it("hold back no compare, and say themselves what their members have missed", async () => {
      const { world, group, channel, bob, confirm, asked } = await opening();
      for (const at of [0, 1]) await confirm(at);
      channel.links[0]?.closed();
      await world.loop.settle();
      await confirm(asked().lastIndexOf(inbox("bob")));
      assert.deepEqual([caughtUps(bob), heads(bob)], [2, []]);
      group.post("ann"); // Of which nothing arrives, and which Sync may have been too early for.
      await confirm(asked().lastIndexOf(groupTopic(T)));
      assert.deepEqual([caughtUps(bob), heads(bob)], [2, [2]]);
    });

    it("take no answer to what was asked before", async () => {
      const { world, group, channel, bob, confirm, asked } = await opening();
      const before = group.membership(["bob"]);
      let answer = (_: Membership) => {};
      world.messages.memberships = () => new Promise((resolve) => (answer = resolve));
      for (const at of [0, 1]) await confirm(at);
      const late = answer;
      world.messages.memberships = (_, userIds) => group.membership(userIds);
      channel.links[0]?.closed();
      late(before);
      await world.loop.settle();
      await confirm(asked().lastIndexOf(inbox("bob")));
      assert.equal(caughtUps(bob), 0, "what comes before the topic is subscribed to is missed");
      await confirm(asked().lastIndexOf(groupTopic(T)));
      assert.equal(caughtUps(bob), 1);
    });
  });

  it("carry one message to 300 of 1,000 members with three deliveries, and nothing to anyone offline", async () => {
    const world = worldOf();
    const members = Array.from({ length: 1_000 }, (_, at) => `user${at}`);
    const group = new FakeGroup(world, T, members);
    const servers = [world.server, world.restart(), world.restart()];
    const streams: FakeByteStream[] = [];
    for (const [at, userId] of members.slice(0, 300).entries()) {
      const sessionId = new Uint8Array(16).fill(at % 256).fill(at % 7, 8);
      streams.push(world.stream(userId, 0, { sessionId }, servers[at % 3] as PushServer));
    }
    for (const stream of streams) stream.say({ case: "open", value: { deviceId: "phone" } } as never);
    await world.loop.settle();
    const [poster] = streams as [FakeByteStream];
    const { publications, deliveries } = world.channel.counters;
    const sent = () => servers.reduce((sum, { counters }) => sum + counters.events, 0);
    const before = sent();

    const send = {
      target: { case: "threadId", value: new Uint8Array(16).fill(1) },
      clientId: new Uint8Array(16),
    };
    const body = { kind: { case: "text", value: { text: "hi" } } };
    poster.say({ case: "send", value: { ...send, baseSeq: 1n, attempt: 1, body } } as never);
    await world.loop.settle();
    await world.publish(group.post("user0", world.messages.sends[0]?.send.originSession));
    world.messages.settle({ seq: 2 });
    await world.loop.settle();

    const { counters } = world.channel;
    assert.deepEqual([counters.publications - publications, counters.deliveries - deliveries], [1, 3]);
    const got = (kind: "entry" | "accepted") => streams.reduce((sum, one) => sum + one.of(kind).length, 0);
    assert.deepEqual([sent() - before, got("entry"), got("accepted")], [300, 299, 1]);
    assert.deepEqual([poster.kinds.at(-1), seqs(poster)], ["accepted", []]);
  });
});
