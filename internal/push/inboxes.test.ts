import assert from "node:assert/strict";
import { createLog } from "../base/log.ts";
import { inbox, type Topic } from "../base/publication.ts";
import { entry, PushWorld, threadOf } from "../testing/push-world.ts";
import type { Channel, ChannelLink, Link } from "./ports.ts";
import { PushServer } from "./service.ts";

const toBob = (seq: number) => entry({ thread: threadOf(1), seq, from: "ann", to: "bob" });

/** A channel instance at the other end of a network: the test says when it confirms, fails and closes. */
class RemoteChannel implements Channel {
  readonly links: Link[] = [];
  readonly asked: { readonly topic: Topic; readonly settle: (error?: Error) => void }[] = [];
  readonly unsubscribed: Topic[] = [];
  goodbyes = 0;

  attach(link: Link): ChannelLink {
    this.links.push(link);
    return {
      subscribe: (topic) =>
        new Promise((resolve, reject) => {
          this.asked.push({ topic, settle: (error) => (error ? reject(error) : resolve()) });
        }),
      unsubscribe: (topic) => this.unsubscribed.push(topic),
      close: () => this.goodbyes++,
    };
  }
}

/** A push server of that channel, and a stream of bob's that has said `open`. */
async function open() {
  const world = new PushWorld();
  const channel = new RemoteChannel();
  const { messages, threads, clock, loop } = world;
  const server = new PushServer({
    messages,
    threads,
    channel,
    presence: world.ring,
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

describe("Inboxes", () => {
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
});
