import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, HeddleError, overloaded, threadNotFound } from "../../base/heddle-error.ts";
import { SubmitRequestSchema, SubmitResponseSchema } from "../../gen/heddle/push/v1/push_service_pb.js";
import { FakeByteStream } from "../../testing/fakes/streams/fake-byte-stream.ts";
import {
  describePushWorlds,
  entry,
  type PushWorld,
  subscribeRequest,
  threadOf,
} from "../../testing/worlds/push/push-world.ts";
import { IDLE_FRAMES_BURST, IN_FLIGHT, SUBMIT_MS } from "../limits.ts";

const ID = new Uint8Array(16).fill(7);
const TEXT = { kind: { case: "text", value: { text: "hi" } } };

type Frame = { readonly case: string; readonly value: object };

function send(changes: object = {}): Frame {
  const target = { case: "threadId", value: ID };
  return { case: "send", value: { target, clientId: ID, baseSeq: 3n, attempt: 1, body: TEXT, ...changes } };
}

const receipt: Frame = { case: "receipt", value: { threadId: ID, deliveredSeq: 4n } };
const ping: Frame = { case: "ping", value: {} };
const ack = (upTo: number): Frame => ({ case: "ack", value: { upTo: BigInt(upTo) } });

/** Submits, and turns the loop until it is answered. */
async function submit(world: PushWorld, frames: readonly Frame[], session = 1, user = "bob") {
  const request = create(SubmitRequestSchema, { frames: frames.map((kind) => ({ kind })) } as never);
  const answer = world.server.submit(request, world.call(user, session));
  let isAnswered = false;
  const answered = () => {
    isAnswered = true;
  };
  answer.then(answered, answered);
  while (!isAnswered) await world.loop.settle();
  return create(SubmitResponseSchema, await answer).outcomes.map(({ kind }) => kind);
}

function reason(stream: FakeByteStream): string | undefined {
  return stream.ended instanceof HeddleError ? stream.ended.reasonName : stream.ended;
}

/** An outcome as a word. */
function word(kind: Awaited<ReturnType<typeof submit>>[number]): string {
  if (kind.case === "accepted") return `accepted ${kind.value.seq}`;
  if (kind.case === "refused") return `${Code[kind.value.code]} ${kind.value.errorInfo?.reason}`;
  return String(kind.case);
}

describePushWorlds("Subscribe and Submit", (worldOf) => {
  it("are one session: what Subscribe says, Connect would say, and what Submit brings moves it", async () => {
    const world = worldOf();
    const bob = await world.subscribed("bob", 1);
    assert.deepEqual(bob.kinds, ["opened", "caughtUp"]);
    await world.publish(entry({ thread: threadOf(1), seq: 5, from: "ann", to: "bob" }));
    const outcomes = await submit(world, [ack(3), receipt, ping]);
    await world.loop.settle();
    assert.deepEqual(outcomes.map(word), ["taken", "taken", "taken"]);
    assert.deepEqual(bob.kinds, ["opened", "caughtUp", "entry", "pong"]);
    assert.deepEqual(
      world.messages.receipts.map(({ deliveredSeq }) => deliveredSeq),
      [4, 5],
    );
  });

  it("answer a send in the response alone, with the session as its origin", async () => {
    const world = worldOf();
    const bob = await world.subscribed("bob", 1);
    const answer = submit(world, [send(), send({ attempt: 2 })]);
    await world.loop.settle();
    assert.equal(world.messages.sends[0]?.send.originSession, "01".repeat(16));
    world.messages.settle({ seq: 4, createdAtMs: 77, duplicate: true, recipientOffline: true });
    world.messages.settle(overloaded("thread", 100));
    const [first, second] = await answer;
    assert.ok(first?.case === "accepted" && second?.case === "refused");
    assert.deepEqual(
      [first.value.seq, first.value.createdAtMs, first.value.duplicate, first.value.recipientOffline],
      [4n, 77n, true, true],
    );
    assert.deepEqual(
      [second.value.retryAfterMs, second.value.threadId, second.value.clientId],
      [100, ID, ID],
    );
    await world.loop.settle();
    assert.deepEqual(bob.kinds, ["opened", "caughtUp"]);
    await world.publish(
      entry({ thread: threadOf(1), seq: 4, from: "bob", to: "ann", originSession: "01".repeat(16) }),
    );
    assert.deepEqual(bob.kinds, ["opened", "caughtUp"], "no entry of its own send");
  });

  it("give the outcomes in the order of the frames, whatever settles first", async () => {
    const world = worldOf();
    await world.subscribed("bob", 1);
    const answer = submit(world, [send(), ping, send(), receipt, send({ clientId: new Uint8Array(3) })]);
    await world.loop.settle();
    const [first, second] = world.messages.sends.splice(0);
    second?.settle({
      threadId: ID,
      clientId: ID,
      seq: 2,
      createdAtMs: 1,
      duplicate: false,
      recipientOffline: undefined,
    });
    first?.settle({
      threadId: ID,
      clientId: ID,
      seq: 1,
      createdAtMs: 1,
      duplicate: false,
      recipientOffline: undefined,
    });
    assert.deepEqual((await answer).map(word), [
      "accepted 1",
      "taken",
      "accepted 2",
      "taken",
      "INVALID_ARGUMENT INVALID_FIELD",
    ]);
  });

  it("take watch and typing, and say of each what is wrong with it", async () => {
    const world = worldOf();
    await world.subscribed("bob", 1);
    const typing = (threadId: Uint8Array): Frame => ({ case: "typing", value: { threadId } });
    const watch = (userIds: readonly string[]): Frame => ({ case: "watch", value: { userIds } });
    const users = Array.from({ length: 101 }, (_, at) => `u${at}`);
    const frames = [typing(ID), typing(ID), typing(ID.subarray(1)), watch(["ann"]), watch(users)];
    const invalid = "INVALID_ARGUMENT INVALID_FIELD";
    assert.deepEqual((await submit(world, frames)).map(word), ["taken", "taken", invalid, "taken", invalid]);
    assert.equal(world.messages.typings.length, 1);
    world.messages.receiptError = threadNotFound();
    await world.advance(3_000);
    assert.deepEqual((await submit(world, [typing(ID)])).map(word), ["NOT_FOUND THREAD_NOT_FOUND"]);
    assert.deepEqual(
      (await submit(world, [typing(ID), watch(["ann"])], 2)).map(word),
      Array(2).fill("FAILED_PRECONDITION NO_SESSION"),
    );
  });

  it("need no live session for a send, and NO_SESSION is the answer to all else without one", async () => {
    const world = worldOf();
    const answer = submit(world, [send(), ping, receipt, ack(1)]);
    await world.loop.settle();
    world.messages.settle({ seq: 9 });
    const outcomes = await answer;
    const none = "FAILED_PRECONDITION NO_SESSION";
    assert.deepEqual(outcomes.map(word), ["accepted 9", none, none, none]);
    assert.ok(outcomes[2]?.case === "refused");
    assert.deepEqual(outcomes[2].value.threadId, ID);
  });

  it("let another user's ticket move nobody's session", async () => {
    const world = worldOf();
    await world.subscribed("bob", 1);
    assert.deepEqual((await submit(world, [ping], 1, "eve")).map(word), ["FAILED_PRECONDITION NO_SESSION"]);
  });

  it("keep a send's outcome when the Subscribe ends", async () => {
    const world = worldOf();
    const bob = await world.subscribed("bob", 1);
    const answer = submit(world, [send()]);
    bob.drop();
    await world.settleSend({ seq: 9 });
    assert.deepEqual((await answer).map(word), ["accepted 9"]);
  });

  it("refuse frames that a Submit may not have, and say so per frame", async () => {
    const world = worldOf();
    await world.subscribed("bob", 1);
    const open: Frame = { case: "open", value: { deviceId: "phone" } };
    const nothing = { case: undefined } as unknown as Frame;
    const voided = send({ body: { kind: { case: "void", value: {} } } });
    const outcomes = await submit(world, [open, nothing, voided, ping]);
    const invalid = "INVALID_ARGUMENT INVALID_FIELD";
    assert.deepEqual(outcomes.map(word), [invalid, invalid, invalid, "taken"]);
    assert.ok(outcomes[2]?.case === "refused");
    assert.equal(outcomes[2].value.errorInfo?.metadata.committed, "never");
  });

  it("refuse a receipt that fails", async () => {
    const world = worldOf();
    await world.subscribed("bob", 1);
    world.messages.receiptError = threadNotFound();
    assert.deepEqual((await submit(world, [receipt])).map(word), ["NOT_FOUND THREAD_NOT_FOUND"]);
  });

  it("answer what is known when the deadline comes, and leave the rest unknown", async () => {
    const world = worldOf();
    await world.subscribed("bob", 1);
    const answer = submit(world, [send(), send()]);
    await world.settleSend({ seq: 1 });
    world.clock.advance(SUBMIT_MS);
    const outcomes = await answer;
    assert.deepEqual(outcomes.map(word), ["accepted 1", "DEADLINE_EXCEEDED DEADLINE"]);
    assert.ok(outcomes[1]?.case === "refused");
    assert.equal(outcomes[1].value.errorInfo?.metadata.committed, undefined);
    assert.deepEqual([outcomes[1].value.clientId, outcomes[1].value.threadId], [ID, ID]);
    world.messages.settle({ seq: 2 });
    assert.equal(world.clock.waiting, 2, "no timer is left but the sweep and that of digests");
  });

  it("keep a session alive by pings, and end one whose client is silent", async () => {
    const world = worldOf();
    const bob = await world.subscribed("bob", 1);
    for (let times = 0; times < 5; times++) {
      await world.advance(15_000);
      await submit(world, [ping]);
    }
    assert.equal(reason(bob), undefined);
    await world.advance(26_000);
    assert.equal(reason(bob), "CLIENT_TOO_SLOW");
  });

  it("end the session for an ack beyond what was sent, and for too many frames", async () => {
    const world = worldOf();
    const bob = await world.subscribed("bob", 1);
    assert.deepEqual((await submit(world, [ack(3)])).map(word), ["INVALID_ARGUMENT ACK_BEYOND_SENT"]);
    assert.equal(reason(bob), "ACK_BEYOND_SENT");
    const ann = await world.subscribed("ann", 2);
    const words: string[] = [];
    for (let times = 0; times <= IDLE_FRAMES_BURST / 200; times++) {
      words.push(...(await submit(world, Array(200).fill(ping), 2, "ann")).map(word));
      await world.loop.settle();
    }
    assert.equal(words.filter((what) => what === "taken").length, IDLE_FRAMES_BURST);
    assert.equal(words[IDLE_FRAMES_BURST], "RESOURCE_EXHAUSTED TOO_MANY_FRAMES");
    assert.equal(words.at(-1), "FAILED_PRECONDITION NO_SESSION");
    assert.equal(reason(ann), "TOO_MANY_FRAMES");
  });

  it("take 256 sends of a session at a time, however many calls they come in", async () => {
    const world = worldOf();
    const first = submit(world, Array(IN_FLIGHT).fill(send()));
    const more = (await submit(world, [send()]))[0];
    assert.ok(more?.case === "refused");
    assert.deepEqual(
      [more.value.errorInfo?.reason, more.value.errorInfo?.metadata.committed, more.value.retryAfterMs],
      ["OVERLOADED", "never", 1_000],
    );
    await world.loop.settle();
    for (let count = 0; count < IN_FLIGHT; count++) world.messages.settle();
    await first;
    const again = submit(world, [send()]);
    await world.loop.settle();
    world.messages.settle({ seq: 3 });
    assert.deepEqual((await again).map(word), ["accepted 3"]);
  });

  it("refuse a ticket that has expired, and a Subscribe for another device", async () => {
    const world = worldOf();
    const request = create(SubmitRequestSchema, { frames: [{ kind: ping }] } as never);
    const late = world.call("bob", 1, { expiresAtMs: world.clock.nowMs() });
    await assert.rejects(world.server.submit(request, late), { code: Code.UNAUTHENTICATED });
    const stream = new FakeByteStream(world.call("bob", 1));
    world.server.subscribe(subscribeRequest("tablet"), stream);
    assert.equal(reason(stream), "WRONG_SESSION");
    assert.equal(world.server.load().sessions, 0);
  });
});
