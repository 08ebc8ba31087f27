import assert from "node:assert/strict";
import { createLog } from "../../base/log.ts";
import { inbox, type Publication } from "../../base/publication.ts";
import { FakeGroup } from "../../testing/fakes/neighbours/fake-group.ts";
import { RemoteChannel } from "../../testing/fakes/neighbours/remote-channel.ts";
import {
  describePushWorlds,
  entry,
  PushWorld,
  receipt,
  threadOf,
} from "../../testing/worlds/push/push-world.ts";
import { PushServer } from "../service.ts";

const toBob = (seq: number) => entry({ thread: threadOf(1), seq, from: "ann", to: "bob" });

/** A push server of that channel, and a stream of bob's that has said `open`. */
async function open() {
  const world = new PushWorld();
  const channel = new RemoteChannel();
  const { messages, threads, clock, loop } = world;
  const server = new PushServer({
    messages,
    threads,
    channel,
    presence: world.presence,
    clock,
    log: createLog({ level: "silent" }),
    config: { name: "push", capacity: 10 },
    tick: loop.tick,
  });
  const bob = world.stream("bob", 1, {}, server);
  bob.say({ case: "open", value: { deviceId: "phone" } } as never);
  await loop.settle();
  return { world, channel, server, bob };
}

describePushWorlds("Inboxes", (worldOf) => {
  it("are subscribed to under the name of the push server, once per user", async () => {
    const { world, channel, server, bob } = await open();
    const tablet = world.stream("bob", 2, { deviceId: "tablet" }, server);
    tablet.say({ case: "open", value: { deviceId: "tablet" } } as never);
    assert.deepEqual(
      channel.asked.map(({ topic }) => topic),
      [inbox("bob")],
    );
    assert.equal(channel.links[0]?.name, "push");
    channel.asked[0]?.settle();
    await world.loop.settle();
    assert.deepEqual(
      [bob.kinds, tablet.kinds],
      [
        ["opened", "caughtUp"],
        ["opened", "caughtUp"],
      ],
    );
    bob.drop();
    assert.deepEqual(channel.unsubscribed, []);
    tablet.drop();
    assert.deepEqual(channel.unsubscribed, [inbox("bob")]);
  });

  it("are asked for again when a subscription fails", async () => {
    const { world, channel, bob } = await open();
    channel.asked[0]?.settle(new Error("away"));
    await world.loop.settle();
    await world.advance(1_000);
    assert.equal(channel.asked.length, 2);
    channel.asked[1]?.settle();
    await world.loop.settle();
    assert.equal(bob.kinds.at(-1), "caughtUp");
  });

  it("are not asked for again when the user has left meanwhile", async () => {
    const { world, channel, bob } = await open();
    channel.asked[0]?.settle(new Error("away"));
    bob.drop();
    await world.advance(5_000);
    assert.equal(channel.asked.length, 1);
  });

  it("hear nothing more from a link that was closed, and let its late word start no session", async () => {
    const { world, channel, bob } = await open();
    const [old] = channel.links;
    old?.closed();
    assert.equal(channel.links.length, 2);
    channel.asked[0]?.settle();
    await world.loop.settle();
    assert.deepEqual(bob.kinds, ["opened"], "the new link has not confirmed");
    old?.deliver(toBob(1), [inbox("bob")]);
    old?.closed();
    assert.equal(channel.links.length, 2);
    channel.asked[1]?.settle();
    await world.loop.settle();
    assert.deepEqual(bob.kinds, ["opened", "caughtUp"]);
    channel.links[1]?.deliver(toBob(2), [inbox("bob")]);
    await world.loop.settle();
    assert.deepEqual(
      bob.of("entry").map(({ seq }) => seq),
      [2n],
    );
  });

  it("ignore what is delivered for users who have left", async () => {
    const { world, channel, bob } = await open();
    bob.drop();
    channel.links[0]?.deliver(toBob(1), [inbox("bob")]);
    await world.loop.settle();
    assert.equal(bob.of("entry").length, 0);
  });

  it("say goodbye when the push server has drained, and attach no more", async () => {
    const { channel, server } = await open();
    await server.drain(1, 0);
    assert.equal(channel.goodbyes, 1);
    channel.links[0]?.closed();
    assert.equal(channel.links.length, 1);
  });

  describe("when somebody is blocked", () => {
    const block = (userId: string, otherUserId: string, isBlocked: boolean): Publication => ({
      ...toBob(0),
      kind: "block_changed",
      topics: [inbox(userId), inbox(otherUserId)],
      thread: "",
      userId,
      otherUserId,
      isBlocked,
    });
    const read = (userId: string, to: string) => receipt({ thread: threadOf(1), userId, to, readSeq: 1 });

    it("drop receipts and typing of each for the other, until it is over", async () => {
      const world = worldOf();
      const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
      const count = () =>
        [ann, bob].map((stream) => stream.of("receipt").length + stream.of("typing").length);
      const sayAll = async () => {
        for (const kind of ["receipt", "typing"] as const) {
          await world.publish({ ...read("bob", "ann"), kind, topics: [inbox("ann")] });
          await world.publish({ ...read("ann", "bob"), kind, topics: [inbox("bob")] });
        }
      };
      await world.publish(block("ann", "bob", true));
      await sayAll();
      assert.deepEqual(count(), [0, 0]);
      await world.publish(toBob(1));
      assert.equal(bob.of("entry").length, 1, "the thread goes on as far as the message service lets it");
      await world.publish(block("bob", "ann", false));
      await sayAll();
      assert.deepEqual(count(), [2, 2]);
    });

    it("drop also what waits already, and no entry", async () => {
      const { world, channel, bob } = await open();
      const [link] = channel.links;
      channel.asked[0]?.settle();
      await world.loop.settle();
      for (const event of [read("ann", "bob"), read("cyn", "bob"), toBob(1), block("ann", "bob", true)]) {
        link?.deliver(event, [inbox("bob")]);
      }
      await world.loop.settle();
      assert.deepEqual(
        bob.of("receipt").map(({ userId }) => userId),
        ["cyn"],
      );
      assert.equal(bob.of("entry").length, 1);
    });

    it("leave what the blocked one says to others, and what both say in groups", async () => {
      const world = worldOf();
      const group = new FakeGroup(world, threadOf(9), ["ann", "bob"]);
      const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
      await world.publish(block("ann", "bob", true));
      await world.publish(read("cyn", "bob"));
      await world.publish(group.sign("receipt", "ann"));
      assert.deepEqual([ann.of("receipt").length, bob.of("receipt").length], [1, 2]);
    });

    it("forget it with the link, over which they might not hear that it is over", async () => {
      const world = worldOf({ linkBytes: 4_000 });
      const bob = await world.live("bob", 1);
      await world.publish(block("ann", "bob", true));
      await world.publish({ ...toBob(1), frame: new Uint8Array(8_000) }); // More than the link takes.
      await world.publish(read("ann", "bob"));
      assert.equal(bob.of("receipt").length, 1, "the message service would not have said it");
    });

    it("remember it until the user's last session ends", async () => {
      const world = worldOf();
      const first = await world.live("bob", 1);
      await world.publish(block("ann", "bob", true));
      const second = await world.live("bob", 2);
      first.drop();
      await world.publish(read("ann", "bob"));
      assert.equal(second.of("receipt").length, 0);
      second.drop();
      const third = await world.live("bob", 3);
      await world.publish(read("ann", "bob"));
      assert.equal(third.of("receipt").length, 1, "the message service would not have said it");
    });
  });
});
