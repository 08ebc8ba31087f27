import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, HeddleError } from "../base/heddle-error.ts";
import { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import { SubmitRequestSchema } from "../gen/heddle/push/v1/push_service_pb.js";
import { FakeRing } from "../testing/fakes/neighbours/fake-ring.ts";
import type { FakeByteStream } from "../testing/fakes/streams/fake-byte-stream.ts";
import {
  describePushWorlds,
  deviceRevoked,
  entry,
  receipt,
  row,
  subscribeRequest,
  threadOf,
} from "../testing/worlds/push/push-world.ts";
import { SYNCS_AT_ONCE } from "./limits.ts";

const T = threadOf(1);
const toBob = (seq: number, text = "hi") => entry({ thread: T, seq, from: "ann", to: "bob", text });

function ping(stream: FakeByteStream): void {
  stream.say({ case: "ping", value: {} } as never);
}

describePushWorlds("PushServer", (worldOf) => {
  it("subscribes once per user, from the first session to the last", async () => {
    const world = worldOf();
    const phone = await world.live("bob", 1);
    const tablet = await world.live("bob", 2, { deviceId: "tablet" });
    assert.deepEqual([world.channel.topics, world.server.load().users], [1, 1]);
    await world.publish(toBob(1));
    assert.deepEqual([phone.of("entry").length, tablet.of("entry").length], [1, 1]);
    assert.equal(world.server.deliveries, 1);
    phone.drop();
    await world.loop.settle();
    assert.deepEqual([world.channel.topics, world.messages.flushed], [1, []]);
    await world.publish(toBob(2));
    assert.equal(tablet.of("entry").length, 2);
    tablet.drop();
    await world.loop.settle();
    assert.deepEqual([world.channel.topics, world.messages.flushed], [0, ["bob"]]);
    assert.deepEqual((await world.channel.publish(toBob(3))).subscribed, [false, false]);
  });

  it("takes no stream while it has not heard which channel instances there are", async () => {
    const world = worldOf();
    const { channel } = world;
    const ring = new FakeRing();
    const server = world.restart({ ring, attach: (instance, link) => channel.attach(instance, link) });
    const { ended } = world.stream("bob", 1, {}, server);
    assert.ok(ended instanceof HeddleError && ended.code === Code.UNAVAILABLE, `it has ended ${ended}`);
    ring.set(["channel"]);
    const stream = await world.live("bob", 2, {}, server);
    assert.deepEqual(stream.kinds, ["opened", "caughtUp"]);
  });

  it("gives an entry once to each session of both users, and a receipt to all but its origin", async () => {
    const world = worldOf();
    const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
    await world.publish(toBob(1));
    await world.publish(
      receipt({ thread: T, userId: "bob", to: "ann", readSeq: 1, originSession: "02".repeat(16) }),
    );
    assert.deepEqual(ann.kinds.slice(2), ["entry", "receipt"]);
    assert.deepEqual(bob.kinds.slice(2), ["entry"]);
    assert.deepEqual(world.channel.counters.deliveries, 2);
  });

  it("counts the events and the writes that carried them", async () => {
    const world = worldOf();
    await world.live("bob", 1);
    const before = { ...world.server.counters };
    for (let seq = 1; seq <= 5; seq++) await world.channel.publish(toBob(seq));
    await world.loop.settle();
    assert.deepEqual(world.server.counters, { events: before.events + 5, writes: before.writes + 1 });
  });

  it("lets a second stream of a session take over: the first is told, and nothing is missed", async () => {
    const world = worldOf();
    const first = await world.live("bob", 1);
    const second = await world.live("bob", 1);
    assert.deepEqual(
      first.of("draining").map(({ reason, afterMs }) => [reason, afterMs]),
      [[DrainingReason.REPLACED, 0]],
    );
    assert.equal(first.ended, "ok");
    assert.deepEqual([world.channel.topics, world.messages.flushed], [1, []], "the subscription never ended");
    await world.publish(toBob(1));
    assert.deepEqual([first.of("entry").length, second.of("entry").length], [0, 1]);
    assert.deepEqual(world.server.load(), { sessions: 1, capacity: 1_000, users: 1 });
  });

  it("ends the sessions of a revoked device, and no other", async () => {
    const world = worldOf();
    const phone = await world.live("bob", 1);
    const tablet = await world.live("bob", 2, { deviceId: "tablet" });
    const anns = await world.live("ann", 3);
    await world.publish(deviceRevoked("bob", "phone"));
    assert.equal(phone.of("draining")[0]?.reason, DrainingReason.DEVICE_REVOKED);
    assert.deepEqual([phone.ended, tablet.ended, anns.ended], ["ok", undefined, undefined]);
  });

  it("ends the session of a device that was revoked before it opened", async () => {
    const world = worldOf();
    const tablet = await world.live("bob", 2, { deviceId: "tablet" });
    world.threads.revokedDevices.add("bob phone");
    const second = await world.live("bob", 1);
    assert.deepEqual([second.of("draining")[0]?.reason, second.ended], [DrainingReason.DEVICE_REVOKED, "ok"]);
    assert.equal(tablet.ended, undefined);
    tablet.drop();
    const first = await world.live("bob", 3);
    assert.equal(first.ended, "ok");
  });

  it("takes nothing from a revoked device by Submit, with a ticket that is still good", async () => {
    const world = worldOf();
    world.threads.revokedDevices.add("bob phone");
    const request = create(SubmitRequestSchema, { frames: [{ kind: { case: "ping", value: {} } }] });
    const isRevoked = (error: unknown) =>
      error instanceof HeddleError && error.reasonName === "DEVICE_REVOKED";
    const submit = async () => {
      const [submitted] = await Promise.allSettled([
        world.server.submit(request, world.call("bob", 1)),
        world.loop.settle(),
      ]);
      return submitted;
    };
    const refused = await submit();
    assert.ok(refused.status === "rejected" && isRevoked(refused.reason));
    world.threads.revokedDevices.clear();
    const taken = await submit();
    assert.ok(taken.status === "fulfilled");
    assert.equal(taken.value.outcomes?.length, 1);
  });

  it("ends the sessions of a device of whose revocation the link was lost", async () => {
    const world = worldOf({ linkBytes: 4_000 });
    const phone = await world.live("bob", 1);
    world.threads.revokedDevices.add("bob phone");
    await world.channel.publish(deviceRevoked("bob", "phone"));
    await world.publish(toBob(1, "x".repeat(8_000)));
    assert.deepEqual([phone.of("draining")[0]?.reason, phone.ended], [DrainingReason.DEVICE_REVOKED, "ok"]);
  });

  it("ends a revoked device's session at once even if its client does not read", async () => {
    const world = worldOf();
    const phone = await world.live("bob", 1);
    phone.stopReading();
    for (let seq = 1; seq <= 9; seq++) await world.publish(toBob(seq, "x".repeat(8_000)));
    await world.publish(deviceRevoked("bob", "phone"));
    assert.equal(phone.ended, "ok");
  });

  describe("when the channel service closes its link", () => {
    it("attaches and subscribes again, and every session compares since its last cursor", async () => {
      const world = worldOf({ linkBytes: 4_000 });
      const [ann, bob] = [await world.live("ann", 1), await world.live("bob", 2)];
      world.threads.pages.set("01", [[row(1, 9)]]);
      await world.channel.publish(toBob(9, "x".repeat(8_000)));
      assert.equal(world.channel.counters.linksLost, 1);
      await world.loop.settle();
      for (const stream of [ann, bob]) {
        assert.deepEqual(stream.kinds, ["opened", "caughtUp", "threadChanged", "caughtUp"]);
        assert.deepEqual(stream.of("caughtUp")[1]?.cursor, Uint8Array.of(2));
      }
      await world.publish(toBob(10));
      assert.deepEqual([ann.kinds.at(-1), bob.kinds.at(-1)], ["entry", "entry"]);
    });

    it("holds no live event back while it compares", async () => {
      const world = worldOf({ linkBytes: 4_000 });
      const bob = await world.live("bob", 2);
      world.threads.held = [];
      await world.publish(toBob(1, "x".repeat(8_000)));
      await world.publish(toBob(2));
      assert.equal(bob.kinds.at(-1), "entry");
      world.threads.held[0]?.();
      await world.loop.settle();
      assert.equal(bob.kinds.at(-1), "caughtUp");
    });

    it("paces: so many pages of Sync at a time, whatever the number of sessions", async () => {
      const world = worldOf({ linkBytes: 4_000 });
      const streams: FakeByteStream[] = [];
      for (let at = 0; at < 3 * SYNCS_AT_ONCE; at++) streams.push(await world.live(`user${at}`, at));
      const bob = await world.live("bob", 255);
      const before = world.threads.asked.length;
      world.threads.held = [];
      await world.publish(toBob(1, "x".repeat(8_000)));
      assert.equal(world.threads.asked.length - before, SYNCS_AT_ONCE);
      while (world.threads.held.length > 0) {
        world.threads.held.shift()?.();
        await world.loop.settle();
        assert.ok(world.threads.held.length <= SYNCS_AT_ONCE);
      }
      assert.equal(world.threads.asked.length - before, streams.length + 1);
      assert.equal(bob.of("caughtUp").length, 2);
    });
  });

  describe("drain", () => {
    it("asks every session to move, takes no new ones, and resolves when all have gone", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      const silent = world.stream("cyn", 2);
      let isDrained = false;
      const drained = world.server.drain(DrainingReason.SHUTDOWN, 3_000).then(() => {
        isDrained = true;
      });
      await world.loop.settle();
      const [draining] = bob.of("draining");
      assert.deepEqual(
        [draining?.reason, draining?.afterMs, draining?.jitterMs],
        [DrainingReason.SHUTDOWN, 3_000, 1_500],
      );
      for (const refused of [silent, world.stream("ann", 3)]) {
        assert.ok(refused.ended instanceof HeddleError);
        assert.deepEqual([refused.ended.code, refused.ended.reasonName], [Code.UNAVAILABLE, "DRAINING"]);
      }
      await world.publish(toBob(1));
      assert.equal(bob.kinds.at(-1), "entry", "served until it goes");
      assert.equal(isDrained, false);
      bob.drop();
      await world.loop.settle();
      await drained;
      assert.deepEqual([world.messages.flushed, world.channel.topics], [["bob"], 0]);
    });

    it("ends what has not moved in time", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      const drained = world.server.drain(DrainingReason.SHUTDOWN, 3_000);
      await world.advance(2_900);
      ping(bob);
      assert.equal(bob.ended, undefined);
      await world.advance(100);
      await drained;
      assert.equal(bob.ended, "ok");
      const request = { frames: [] } as never;
      await assert.rejects(world.server.submit(request, world.call("bob", 1)), { code: Code.UNAVAILABLE });
    });

    it("is done at once without sessions, and a Subscribe then finds it draining", async () => {
      const world = worldOf();
      await world.server.drain(DrainingReason.SHUTDOWN, 3_000);
      const stream = world.stream("bob", 1);
      world.server.subscribe(subscribeRequest("phone"), stream);
      assert.ok(stream.ended instanceof HeddleError && stream.ended.reasonName === "DRAINING");
    });
  });
});
