import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError, overloaded, threadNotFound } from "../../base/heddle-error.ts";
import { BodySchema } from "../../gen/heddle/message/v1/entry_pb.js";
import type { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import { describePushWorlds, entry, threadOf } from "../../testing/worlds/push/push-world.ts";
import { FRAME_BYTES } from "../../wire/limits.ts";
import { ANSWERS, IDLE_FRAMES_BURST, IN_FLIGHT } from "../limits.ts";

const ID = new Uint8Array(16).fill(7);

function send(stream: FakeByteStream, changes: object = {}): void {
  const body = { kind: { case: "text", value: { text: "hi" } } };
  const target = { case: "threadId", value: ID };
  stream.say({
    case: "send",
    value: { target, clientId: ID, baseSeq: 3n, attempt: 1, body, ...changes },
  } as never);
}

function ping(stream: FakeByteStream): void {
  stream.say({ case: "ping", value: {} } as never);
}

function receipt(stream: FakeByteStream, changes: object = {}): void {
  stream.say({
    case: "receipt",
    value: { threadId: ID, deliveredSeq: 4n, readSeq: 2n, ...changes },
  } as never);
}

function reason(stream: FakeByteStream): string | undefined {
  const { ended } = stream;
  return ended instanceof HeddleError ? `${Code[ended.code]} ${ended.reasonName}` : ended;
}

describePushWorlds("Connect", (worldOf) => {
  it("hands a send on with its session as origin, and answers with its outcome", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    send(bob);
    await world.loop.settle();
    const [{ send: sent } = assert.fail()] = world.messages.sends;
    assert.deepEqual(
      [sent.userId, sent.baseSeq, sent.attempt, sent.originSession, sent.toUserId],
      ["bob", 3, 1, "01".repeat(16), ""],
    );
    assert.deepEqual(Buffer.from(sent.clientId), Buffer.from(ID));
    const body = sent.body instanceof Uint8Array ? sent.body : assert.fail("a plain text is decoded");
    assert.deepEqual(fromBinary(BodySchema, body).kind.value, {
      $typeName: "heddle.message.v1.Text",
      text: "hi",
    });
    world.messages.settle({ seq: 9, createdAtMs: 1234, duplicate: true, recipientOffline: false });
    await world.loop.settle();
    const [accepted] = bob.of("accepted");
    assert.deepEqual(
      [accepted?.seq, accepted?.createdAtMs, accepted?.duplicate, accepted?.recipientOffline],
      [9n, 1234n, true, false],
    );
  });

  it("refuses with what the message service says, and does not say committed=never itself then", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    send(bob);
    send(bob);
    await world.loop.settle();
    world.messages.settle(overloaded("thread", 250));
    world.messages.settle(threadNotFound().withCommittedNever());
    await world.loop.settle();
    const [first, second] = bob.of("refused");
    assert.deepEqual(
      [first?.code, first?.errorInfo?.reason, first?.retryAfterMs, first?.errorInfo?.metadata.committed],
      [Code.RESOURCE_EXHAUSTED, "OVERLOADED", 250, undefined],
    );
    assert.equal(second?.errorInfo?.metadata.committed, "never");
    assert.deepEqual(second?.threadId, ID);
  });

  it("tells the number of the refused frame, whatever came before it and whenever its answer comes", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1); // `open` is 1.
    send(bob); // 2
    bob.say({ case: "ping", value: {} });
    bob.ack(); // 4
    send(bob, { clientId: ID.subarray(1) });
    bob.say({ case: "watch", value: { userIds: ["Bob Bob"] } }); // 6
    bob.say({ case: "typing", value: { threadId: ID.subarray(1) } });
    bob.say({ case: "receipt", value: { threadId: ID.subarray(1) } }); // 8
    await world.loop.settle();
    world.messages.settle(overloaded("thread", 250));
    await world.loop.settle();
    assert.deepEqual(
      bob.of("refused").map(({ frame }) => frame),
      [5n, 6n, 7n, 8n, 2n],
    );
  });

  const wrong: Record<string, [object, string]> = {
    "no target": [{ target: { case: undefined } }, "send.target"],
    "a short thread id": [{ target: { case: "threadId", value: ID.subarray(1) } }, "send.thread_id"],
    "a wrong user": [{ target: { case: "toUserId", value: "Bob B" } }, "send.to_user_id"],
    "a short client id": [{ clientId: ID.subarray(1) }, "send.client_id"],
    "a base beyond 2^53": [{ baseSeq: 2n ** 60n }, "send.base_seq"],
    "no body": [{ body: undefined }, "send.body"],
    "an empty body": [{ body: {} }, "send.body.kind"],
    "a void": [{ body: { kind: { case: "void", value: {} } } }, "send.body"],
    "no text": [{ body: { kind: { case: "text", value: { text: "" } } } }, "send.body.text.text"],
    "too long a text": [
      { body: { kind: { case: "text", value: { text: "é".repeat(16_385) } } } },
      "send.body.text.text",
    ],
  };
  for (const [what, [changes, field]] of Object.entries(wrong)) {
    it(`refuses a send with ${what}, and says that it never commits if it is the first attempt`, async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      send(bob, changes);
      send(bob, { ...changes, attempt: 2 });
      await world.loop.settle();
      const [first, second] = bob.of("refused");
      assert.deepEqual(
        [first?.code, first?.errorInfo?.metadata.field, first?.errorInfo?.metadata.committed],
        [Code.INVALID_ARGUMENT, field, "never"],
      );
      assert.equal(second?.errorInfo?.metadata.committed, undefined);
      assert.equal(world.messages.sends.length, 0);
      assert.equal(bob.ended, undefined);
    });
  }

  it("hands receipts on, and refuses those that fail with their thread", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    receipt(bob);
    await world.loop.settle();
    const [taken] = world.messages.receipts;
    assert.deepEqual(
      [taken?.userId, taken?.deliveredSeq, taken?.readSeq, taken?.originSession],
      ["bob", 4, 2, "01".repeat(16)],
    );
    world.messages.receiptError = threadNotFound();
    receipt(bob);
    receipt(bob, { threadId: ID.subarray(1) });
    receipt(bob, { readSeq: 2n ** 60n });
    await world.loop.settle();
    assert.deepEqual(
      bob.of("refused").map(({ code, threadId, clientId }) => [code, threadId.length, clientId.length]),
      [
        [Code.INVALID_ARGUMENT, 15, 0],
        [Code.INVALID_ARGUMENT, 16, 0],
        [Code.NOT_FOUND, 16, 0],
      ],
    );
  });

  describe("ends the stream", () => {
    const cases: Record<string, [(stream: FakeByteStream) => void, string]> = {
      "whose bytes are no frame": [
        (one) => one.sayBytes(Uint8Array.of(0x0a, 0xff)),
        "INVALID_ARGUMENT MALFORMED",
      ],
      "whose text is no UTF-8": [
        (one) => one.sayBytes(Uint8Array.of(0x0a, 3, 0x0a, 1, 0xff)),
        "INVALID_ARGUMENT MALFORMED",
      ],
      "whose frame says nothing": [(one) => one.sayBytes(new Uint8Array(0)), "INVALID_ARGUMENT MALFORMED"],
      "whose frame says two things": [
        (one) => one.sayBytes(Uint8Array.of(0x2a, 0, 0x2a, 0)),
        "INVALID_ARGUMENT MALFORMED",
      ],
      "whose frame is larger than 64 KiB": [
        (one) => one.sayBytes(new Uint8Array(FRAME_BYTES + 1)),
        "RESOURCE_EXHAUSTED FRAME_TOO_LARGE",
      ],
      "that opens twice": [
        (one) => one.say({ case: "open", value: { deviceId: "phone" } } as never),
        "FAILED_PRECONDITION ALREADY_OPEN",
      ],
    };
    for (const [what, [act, expected]] of Object.entries(cases)) {
      it(what, async () => {
        const world = worldOf();
        const bob = await world.live("bob", 1);
        act(bob);
        assert.equal(reason(bob), expected);
        assert.equal(world.server.load().sessions, 0);
      });
    }

    const openings: Record<string, [(stream: FakeByteStream) => void, string]> = {
      "that does not begin with open": [ping, "FAILED_PRECONDITION OPEN_EXPECTED"],
      "that says nothing and half-closes": [(one) => one.halfClose(), "FAILED_PRECONDITION OPEN_EXPECTED"],
      "that opens for another device": [
        (one) => one.say({ case: "open", value: { deviceId: "tablet" } } as never),
        "PERMISSION_DENIED WRONG_SESSION",
      ],
      "that opens with a device that is no name": [
        (one) => one.say({ case: "open", value: { deviceId: "My phone" } } as never),
        "INVALID_ARGUMENT INVALID_FIELD",
      ],
      "that opens with too long a cursor": [
        (one) => one.say({ case: "open", value: { deviceId: "phone", cursor: new Uint8Array(65) } } as never),
        "INVALID_ARGUMENT INVALID_FIELD",
      ],
    };
    for (const [what, [act, expected]] of Object.entries(openings)) {
      it(what, async () => {
        const world = worldOf();
        const stream = world.stream("bob", 1);
        act(stream);
        await world.loop.settle();
        assert.equal(reason(stream), expected);
        assert.deepEqual([stream.events.length, world.server.load().users], [0, 0]);
      });
    }
  });

  describe("bounds what a client may ask for", () => {
    it("reads no more while 256 sends are in flight, and goes on when one is settled", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (let count = 0; count < IN_FLIGHT; count++) {
        assert.equal(bob.isReading, true);
        send(bob);
      }
      assert.equal(bob.isReading, false);
      send(bob); // The one message that may still come.
      await world.loop.settle();
      assert.equal(world.messages.sends.length, IN_FLIGHT);
      await world.settleSend();
      assert.equal(world.messages.sends.length, IN_FLIGHT, "the kept one took the place");
      assert.equal(bob.isReading, false);
      await world.settleSend();
      assert.equal(bob.isReading, true);
    });

    it("reads no more while 1 MiB of them is in flight", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      const text = "x".repeat(8_000);
      let sent = 0;
      for (; bob.isReading && sent < IN_FLIGHT; sent++) {
        send(bob, { body: { kind: { case: "text", value: { text } } } });
      }
      assert.ok(sent * 8_000 <= 1024 * 1024 && sent > 100, `${sent}`);
    });

    it("does not take a client that it does not read for silent", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (let count = 0; count < IN_FLIGHT; count++) send(bob);
      await world.advance(60_000);
      assert.equal(bob.ended, undefined);
      await world.settleSend();
      await world.advance(24_000);
      assert.equal(bob.ended, undefined);
      await world.advance(2_000);
      assert.equal(reason(bob), "UNAVAILABLE CLIENT_TOO_SLOW");
    });

    it("ends a stream with more than 1,000 frames at once that advance nothing", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (let count = 0; count < IDLE_FRAMES_BURST; count++) ping(bob);
      assert.equal(bob.ended, undefined);
      ping(bob);
      assert.equal(reason(bob), "RESOURCE_EXHAUSTED TOO_MANY_FRAMES");
    });

    it("counts repeated acks, receipts and wrong sends among them, and new acks and sends not", async () => {
      for (const act of [
        (one: FakeByteStream) => one.ack(1),
        (one: FakeByteStream) => receipt(one),
        (one: FakeByteStream) => send(one, { clientId: new Uint8Array(0) }),
      ]) {
        const world = worldOf();
        const bob = await world.live("bob", 1);
        bob.ack(2);
        for (let count = 0; count <= IDLE_FRAMES_BURST; count++) {
          act(bob);
          if (count % IN_FLIGHT === 0) await world.loop.settle();
        }
        assert.equal(reason(bob), "RESOURCE_EXHAUSTED TOO_MANY_FRAMES");
      }
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (let count = 0; count < 1.2 * IDLE_FRAMES_BURST; count++) {
        send(bob);
        await world.settleSend();
        bob.ack();
      }
      assert.equal(bob.ended, undefined);
    });

    it("refills 100 a second", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      for (let count = 0; count < IDLE_FRAMES_BURST; count++) ping(bob);
      await world.advance(1_000);
      for (let count = 0; count < 100; count++) ping(bob);
      assert.equal(bob.ended, undefined);
      ping(bob);
      assert.equal(reason(bob), "RESOURCE_EXHAUSTED TOO_MANY_FRAMES");
    });

    it("ends a stream that leaves more than 256 answers unread", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      bob.stopReading();
      for (let count = 0; count < 20_000 && bob.ended === undefined; count++) {
        send(bob);
        await world.settleSend();
      }
      assert.equal(reason(bob), "UNAVAILABLE CLIENT_TOO_SLOW");
      assert.deepEqual((bob.ended as HeddleError).metadata, { what: "answers" });
      assert.ok(bob.writes.length * 16 > ANSWERS);
    });
  });

  describe("a client that says it has said all", () => {
    it("gets what it is owed, and then OK", async () => {
      const world = worldOf();
      const bob = await world.live("bob", 1);
      send(bob);
      bob.halfClose();
      await world.loop.settle();
      assert.equal(bob.ended, undefined);
      await world.settleSend({ seq: 5 });
      assert.equal(bob.ended, "ok");
      assert.equal(bob.kinds.at(-1), "accepted");
    });

    it("gets its backfill too", async () => {
      const world = worldOf();
      const bob = world.stream("bob", 1);
      bob.say({ case: "open", value: { deviceId: "phone" } } as never);
      bob.halfClose();
      await world.loop.settle();
      assert.deepEqual([bob.kinds, bob.ended], [["opened", "caughtUp"], "ok"]);
    });
  });

  it("answers nobody when the stream ended before the outcome", async () => {
    const world = worldOf();
    const bob = await world.live("bob", 1);
    send(bob);
    await world.loop.settle();
    bob.drop();
    world.messages.settle({ seq: 5 });
    await world.loop.settle();
    assert.equal(bob.of("accepted").length, 0);
    assert.equal(world.server.load().sessions, 0);
  });

  it("gives the origin session no entry of its own send, and the user's other session one", async () => {
    const world = worldOf();
    const phone = await world.live("bob", 1);
    const tablet = await world.live("bob", 2);
    await world.publish(
      entry({ thread: threadOf(1), seq: 1, from: "bob", to: "ann", originSession: "01".repeat(16) }),
    );
    assert.deepEqual([phone.of("entry").length, tablet.of("entry").length], [0, 1]);
  });

  it("is refused beyond what the ticket allows", async () => {
    const world = worldOf();
    const past = { openByMs: world.clock.nowMs() };
    assert.equal(reason(world.stream("bob", 1, past)), "UNAUTHENTICATED TOKEN_EXPIRED");
    const over = { userTokenExpiresAtMs: world.clock.nowMs() };
    assert.equal(reason(world.stream("bob", 1, over)), "UNAUTHENTICATED TOKEN_EXPIRED");
    assert.equal(ErrorReason.TOKEN_EXPIRED, 12);
  });

  it("is refused beyond the streams of one user, those that have not opened among them; a take-over is not", async () => {
    const world = worldOf({ streamsPerUser: 2 });
    const first = world.stream("bob", 1);
    await world.live("bob", 2);
    assert.equal(reason(world.stream("bob", 3)), "RESOURCE_EXHAUSTED OVERLOADED");
    assert.equal(world.stream("ann", 4).ended, undefined);
    await world.live("bob", 2);
    first.drop();
    assert.equal(world.stream("bob", 3).ended, undefined);
    assert.deepEqual(world.server.devicesOf("bob"), ["phone"]);
    assert.ok(world.threads.usedDevices.includes("bob phone"));
  });

  it("is refused beyond the capacity of the push server", async () => {
    const world = worldOf({ capacity: 1 });
    const bob = await world.live("bob", 1);
    assert.equal(reason(world.stream("ann", 2)), "RESOURCE_EXHAUSTED OVERLOADED");
    bob.drop();
    assert.equal(world.stream("ann", 2).ended, undefined);
  });
});
