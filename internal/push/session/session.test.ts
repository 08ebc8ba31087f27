import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { DrainingReason } from "../../gen/heddle/push/v1/frame_pb.js";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import {
  describePushWorlds,
  entry,
  type PushWorld,
  receipt,
  row,
  threadOf,
} from "../../testing/worlds/push/push-world.ts";
import {
  CREDIT_EVENTS,
  OPEN_TIMEOUT_MS,
  QUEUE_BYTES,
  SILENCE_MS,
  SUBSCRIBE_WAIT_MS,
  SWEEP_MS,
} from "../limits.ts";

const T = threadOf(1);

function toBob(seq: number, text = "hi", thread = T) {
  return entry({ thread, seq, from: "ann", to: "bob", text });
}

function endedWith(stream: FakeByteStream): string {
  if (stream.ended === undefined) return "open";
  if (stream.ended === "ok") return "ok";
  return `${Code[stream.ended.code]} ${stream.ended.reasonName}`;
}

function open(stream: FakeByteStream, cursor = new Uint8Array(0)): void {
  stream.say({ case: "open", value: { deviceId: "phone", cursor } } as never);
}

/** Pings as a client does, while time passes. */
async function pinging(world: PushWorld, streams: readonly FakeByteStream[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    for (const stream of streams) stream.say({ case: "ping", value: {} } as never);
    await world.advance(Math.min(1_000, ms - passed));
  }
}

describePushWorlds("A session", (worldOf) => {
  it("goes from open through subscribe, backfill and caught_up to live", async () => {
    const world = worldOf();
    world.threads.pages.set("07", [[row(1, 4), row(2, 9)], [row(3, 1)]]);
    const stream = world.stream("bob", 1);
    open(stream, Uint8Array.of(7));
    await world.loop.settle();
    assert.deepEqual(stream.kinds, ["opened", "threadChanged", "threadChanged", "threadChanged", "caughtUp"]);
    const [opened] = stream.of("opened");
    assert.deepEqual(
      [opened?.userId, opened?.pingIntervalMs, opened?.sessionId],
      ["bob", 15_000, new Uint8Array(16).fill(1)],
    );
    assert.deepEqual(stream.of("caughtUp")[0]?.cursor, Uint8Array.of(8));
    assert.deepEqual(
      stream.of("threadChanged").map(({ head }) => head?.seq),
      [4n, 9n, 1n],
    );
    await world.publish(toBob(5));
    assert.equal(stream.kinds.at(-1), "entry");
  });

  it("sends opened before anything else, even when Sync answers before the tick is over", async () => {
    const world = worldOf();
    await world.live("bob", 1);
    const second = world.stream("bob", 2);
    open(second);
    await new Promise((resolve) => setImmediate(resolve));
    await world.loop.settle();
    assert.deepEqual(second.kinds, ["opened", "caughtUp"]);
  });

  it("holds what is published during the backfill, and sends it after caught_up", async () => {
    const world = worldOf();
    world.threads.held = [];
    const stream = world.stream("bob", 1);
    open(stream);
    await world.loop.settle();
    await world.publish(toBob(1));
    await world.publish(toBob(2));
    assert.deepEqual(stream.kinds, ["opened"]);
    world.threads.held[0]?.();
    await world.loop.settle();
    assert.deepEqual(stream.kinds, ["opened", "caughtUp", "entry", "entry"]);
  });

  it("says behind, already during the backfill, for what it cannot hold", async () => {
    const world = worldOf();
    world.threads.held = [];
    const stream = world.stream("bob", 1);
    open(stream);
    await world.loop.settle();
    for (let seq = 1; seq <= 40; seq++) await world.channel.publish(toBob(seq, "x".repeat(8_000)));
    await world.loop.settle();
    assert.deepEqual(stream.kinds, ["opened", "behind"]);
    assert.ok((stream.of("behind")[0]?.head?.seq ?? 0n) >= 4n);
    world.threads.held[0]?.();
    await world.loop.settle();
    const last = stream.of("entry").at(-1)?.seq ?? stream.of("behind").at(-1)?.head?.seq;
    assert.equal(last, 40n);
  });

  it("backfills within credit: the next page only when the last is out", async () => {
    const world = worldOf();
    const rows = (first: number) => Array.from({ length: 200 }, (_, at) => row(first + at, 1));
    world.threads.pages.set("", [rows(1), rows(201), rows(401)]);
    const stream = world.stream("bob", 1);
    open(stream);
    await world.loop.settle();
    assert.equal(stream.of("threadChanged").length, CREDIT_EVENTS);
    assert.equal(world.threads.asked.length, 2);
    stream.ack();
    await world.loop.settle();
    assert.equal(stream.of("threadChanged").length, 2 * CREDIT_EVENTS);
    assert.equal(world.threads.asked.length, 3);
    stream.ack();
    await world.loop.settle();
    assert.equal(stream.of("threadChanged").length, 600);
    assert.equal(stream.kinds.at(-1), "caughtUp");
  });

  describe("while Sync fails", () => {
    it("tries again, later and later, and takes live events meanwhile", async () => {
      const world = worldOf();
      world.threads.errors.push(storeUnavailable("thread"), new Error("fault"), storeUnavailable("thread"));
      const stream = await world.live("bob", 1);
      await world.publish(toBob(1));
      assert.deepEqual(stream.kinds, ["opened"]);
      await pinging(world, [stream], 20_000);
      assert.equal(world.threads.asked.length, 4);
      assert.deepEqual(
        stream.kinds.filter((kind) => kind !== "pong"),
        ["opened", "caughtUp", "entry"],
      );
    });

    it("gives up on a page after 10 s, ignores its late answer, and asks again", async () => {
      const world = worldOf();
      const held: (() => void)[] = [];
      world.threads.held = held;
      const stream = await world.live("bob", 1);
      await pinging(world, [stream], 12_000);
      assert.equal(held.length, 2);
      held[0]?.();
      await world.loop.settle();
      assert.equal(stream.of("caughtUp").length, 0);
      held[1]?.();
      await world.loop.settle();
      assert.equal(stream.of("caughtUp").length, 1);
    });

    it("ends with the error if the cursor is not ours", async () => {
      const world = worldOf();
      const malformed = new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.TOKEN_MALFORMED, "no cursor");
      world.threads.errors.push(malformed);
      const stream = await world.live("bob", 1);
      assert.ok(stream.ended instanceof HeddleError);
      assert.deepEqual([stream.ended.reason, stream.ended.message], [malformed.reason, malformed.message]);
    });
  });

  describe("when the subscription is late", () => {
    /** A channel whose subscriptions the test confirms. */
    function lateWorld() {
      const world = worldOf();
      const confirm: (() => void)[] = [];
      const attach = world.channel.attach.bind(world.channel);
      world.channel.attach = (instance, link) => {
        const attachment = attach(instance, link);
        const subscribe = async (topic: string) => {
          await new Promise<void>((resolve) => confirm.push(resolve));
          await attachment.subscribe(topic);
        };
        return { ...attachment, subscribe };
      };
      return { world, confirm };
    }

    it("waits 2 s, backfills all the same, and compares when the word comes", async () => {
      const { world, confirm } = lateWorld();
      const server = world.restart();
      const stream = world.stream("bob", 1, {}, server);
      open(stream);
      await world.advance(SUBSCRIBE_WAIT_MS - SWEEP_MS);
      assert.deepEqual(world.threads.asked, []);
      await world.advance(SWEEP_MS);
      assert.deepEqual(stream.kinds, ["opened", "caughtUp"]);
      await world.publish(toBob(1));
      assert.equal(stream.of("entry").length, 0, "nobody subscribes yet");
      world.threads.pages.set("01", [[row(1, 1)]]);
      confirm[0]?.();
      await world.loop.settle();
      assert.deepEqual(stream.kinds.slice(2), ["threadChanged", "caughtUp"]);
      assert.deepEqual(world.threads.asked, ["", "01"], "since the last cursor");
    });

    it("starts at once when the word comes in time, and compares no more", async () => {
      const { world, confirm } = lateWorld();
      const stream = world.stream("bob", 1, {}, world.restart());
      open(stream);
      await world.loop.settle();
      confirm[0]?.();
      await world.loop.settle();
      assert.deepEqual(stream.kinds, ["opened", "caughtUp"]);
      await world.advance(SUBSCRIBE_WAIT_MS * 2);
      assert.equal(world.threads.asked.length, 1);
    });

    it("compares after a backfill that is still running when the word comes", async () => {
      const { world, confirm } = lateWorld();
      world.threads.held = [];
      const stream = world.stream("bob", 1, {}, world.restart());
      open(stream);
      await world.advance(SUBSCRIBE_WAIT_MS);
      confirm[0]?.();
      await world.loop.settle();
      const { held } = world.threads;
      world.threads.held = undefined;
      held[0]?.();
      await world.loop.settle();
      assert.deepEqual(world.threads.asked, ["", "01"]);
      assert.deepEqual(stream.kinds, ["opened", "caughtUp", "caughtUp"]);
    });
  });

  describe("its deadlines", () => {
    it("open: 10 s", async () => {
      const world = worldOf();
      const stream = world.stream("bob", 1);
      await world.advance(OPEN_TIMEOUT_MS - 1);
      assert.equal(endedWith(stream), "open");
      await world.advance(SWEEP_MS);
      assert.equal(endedWith(stream), "DEADLINE_EXCEEDED OPEN_TIMEOUT");
      assert.equal(world.server.load().sessions, 0);
    });

    it("silence: 25 s, and any frame counts as a sign of life", async () => {
      const world = worldOf();
      const stream = await world.live("bob", 1);
      await world.advance(SILENCE_MS - 1_000);
      stream.say({ case: "ping", value: {} } as never);
      await world.advance(SILENCE_MS - 1_000);
      assert.equal(endedWith(stream), "open");
      assert.equal(stream.kinds.at(-1), "pong");
      await world.advance(1_000 + SWEEP_MS);
      assert.equal(endedWith(stream), "UNAVAILABLE CLIENT_TOO_SLOW");
      assert.deepEqual((stream.ended as HeddleError).metadata, { what: "silent" });
      assert.deepEqual(world.messages.flushed, ["bob"]);
    });

    it("the user token's: draining 10 s before, and the end with it", async () => {
      const world = worldOf();
      const expiresMs = world.clock.nowMs() + 60_000;
      const stream = await world.live("bob", 1, { userTokenExpiresAtMs: expiresMs });
      await pinging(world, [stream], 49_000);
      assert.equal(stream.of("draining").length, 0);
      await pinging(world, [stream], 2_000);
      const [draining] = stream.of("draining");
      assert.equal(draining?.reason, DrainingReason.TOKEN_EXPIRED);
      assert.ok((draining?.afterMs ?? 0) >= 9_000 && (draining?.afterMs ?? 0) <= 10_000);
      assert.ok((draining?.jitterMs ?? 0) <= (draining?.afterMs ?? 0));
      await world.publish(toBob(1));
      assert.equal(stream.kinds.at(-1), "entry", "served until then");
      await pinging(world, [stream], 8_000);
      assert.equal(endedWith(stream), "open");
      await pinging(world, [stream], 1_500);
      assert.equal(endedWith(stream), "ok");
      assert.equal(stream.of("draining").length, 1);
    });
  });

  describe("acks", () => {
    it("say what was delivered: the highest seq per thread, once per tick, not of the user's own entries", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (const seq of [1, 2, 3]) await world.channel.publish(toBob(seq));
      await world.channel.publish(toBob(8, "hi", threadOf(2)));
      await world.channel.publish(entry({ thread: threadOf(3), seq: 1, from: "bob", to: "ann" }));
      await world.loop.settle();
      bob.ack(3);
      bob.ack();
      await world.loop.settle();
      assert.deepEqual(
        world.messages.receipts.map(({ threadId, deliveredSeq }) => [threadId.at(-1), deliveredSeq]),
        [
          [1, 3],
          [2, 8],
        ],
      );
      const [first] = world.messages.receipts;
      assert.deepEqual([first?.userId, first?.readSeq, first?.originSession], ["bob", 0, "01".repeat(16)]);
    });

    it("are handed over before the positions of a user who leaves are written", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      await world.publish(toBob(1));
      bob.ack();
      bob.drop();
      await world.loop.settle();
      assert.deepEqual([world.messages.receipts.length, world.messages.flushed], [1, ["bob"]]);
    });

    it("end the stream when they name an event that was not sent", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      bob.ack(3);
      assert.equal(endedWith(bob), "INVALID_ARGUMENT ACK_BEYOND_SENT");
      assert.deepEqual((bob.ended as HeddleError).metadata, { sent: "2" });
    });
  });

  it("writes once per tick, joined", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    const before = bob.writes.length;
    for (let seq = 1; seq <= 20; seq++) await world.channel.publish(toBob(seq));
    await world.loop.settle();
    assert.equal(bob.writes.length - before, 1);
    assert.equal(bob.of("entry").length, 20);
  });

  for (const { count, bytes } of [
    { count: 8, bytes: 8_192 },
    { count: 5, bytes: 32_768 },
  ]) {
    it(`brings ${count} texts of ${bytes} bytes that come at once, and no behind`, async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (let seq = 1; seq <= count; seq++) await world.channel.publish(toBob(seq, "x".repeat(bytes)));
      await world.loop.settle();
      assert.equal(bob.of("behind").length, 0);
      assert.equal(bob.of("entry").length, count);
    });
  }

  it("holds 256 KiB for a client that does not read, and tells it afterwards what it misses", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    const eve = await world.live("bob", 2);
    bob.stopReading();
    for (let seq = 1; seq <= 2_000; seq++) {
      await world.channel.publish(toBob(seq, "x".repeat(200), threadOf(seq % 20)));
      if (seq % 50 === 0) await world.loop.settle();
      for (const bytes of world.server.queuedBytes()) assert.ok(bytes <= QUEUE_BYTES, `${bytes}`);
      if (eve.events.length % 100 === 0) eve.ack();
    }
    bob.startReading();
    await world.loop.settle();
    const told = new Map<number, number>();
    const tell = (id: Uint8Array, seq: bigint) => {
      const thread = id.at(-1) ?? 0;
      told.set(thread, Math.max(told.get(thread) ?? 0, Number(seq)));
    };
    for (let events = 0; events < bob.events.length; ) {
      events = bob.events.length;
      bob.ack();
      await world.loop.settle();
    }
    for (const { threadId, seq } of bob.of("entry")) tell(threadId, seq);
    for (const { threadId, head } of bob.of("behind")) tell(threadId, head?.seq ?? 0n);
    assert.equal(bob.of("behindAll").length, 0);
    for (let thread = 0; thread < 20; thread++) assert.equal(told.get(thread), 2_000 - ((20 - thread) % 20));
  });

  it("keeps the newest of a member's receipts while the client does not read", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    bob.stopReading();
    await world.publish(toBob(1, "x".repeat(8_000)));
    await world.publish(toBob(2, "x".repeat(8_000)));
    await world.publish(toBob(3, "x".repeat(8_000)));
    for (let readSeq = 1; readSeq <= 100; readSeq++) {
      await world.publish(receipt({ thread: T, userId: "ann", to: "bob", readSeq }));
    }
    bob.startReading();
    await world.advance(SWEEP_MS); // The transport did not fill up, so it does not say that it has drained.
    assert.deepEqual(
      bob.of("receipt").map(({ readSeq }) => readSeq),
      [100n],
    );
  });
});
