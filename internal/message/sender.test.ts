import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError, storeUnavailable } from "../base/heddle-error.ts";
import { NO_HISTORY } from "../base/history.ts";
import type { Accepted } from "../base/send.ts";
import { directThreadId } from "../base/thread-id.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { MessageParts } from "../testing/fakes/message/message-parts.ts";
import { clientIdOf, type SendSample, sendOf } from "../testing/fakes/message/message-samples.ts";
import { MemoryVisibilities } from "../testing/fakes/stores/memory-visibilities.ts";
import type { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import type { Counted } from "./cells/receipt-cell.ts";
import { Hiding } from "./hiding.ts";
import type { OwnSend } from "./receipts/receipts.ts";
import { Sender } from "./sender.ts";

describe("A send", () => {
  it("goes to a thread by its id", async () => {
    const { parts, send } = world();
    const accepted = await send({ threadId: parts.threadId });
    assert.deepEqual(accepted, {
      threadId: parts.threadId,
      clientId: clientIdOf(1),
      seq: 1,
      createdAtMs: parts.clock.nowMs(),
      duplicate: false,
      recipientOffline: true,
    });
  });

  it("with the first message of two users makes their rows, before the append", async () => {
    const { parts, send } = world();
    const first = taken(await send({ userId: "cay", toUserId: "ann" }));
    assert.deepEqual(first.threadId, directThreadId("ann", "cay"));
    assert.deepEqual(parts.trace, ["create cay ann", "touch ann cay", "append 1", "publish entry 1"]);
    const answer = taken(await send({ userId: "ann", toUserId: "cay", clientId: clientIdOf(2) }));
    assert.equal(answer.seq, 2);
    assert.equal(parts.trace.filter((call) => call.startsWith("create")).length, 1);
  });

  it("says whether the recipient was offline, by the hand-off's word", async () => {
    const { parts, send } = world();
    parts.channel.subscribed.add("user/ann");
    assert.equal(taken(await send({ userId: "ann" })).recipientOffline, true);
    const fromBob = { userId: "bob", toUserId: "ann", clientId: clientIdOf(2) };
    assert.equal(taken(await send(fromBob)).recipientOffline, false);
  });

  it("of another log epoch is refused without effect, and without a word on its outcome", async () => {
    const { parts, send } = world();
    for (const attempt of [1, 2]) {
      const refused = await send({ logEpoch: 8, attempt });
      assert.ok(refused instanceof HeddleError);
      assert.equal(refused.reason, ErrorReason.OTHER_LOG_EPOCH);
      assert.deepEqual(refused.metadata, { log_epoch: "7" }); // No `committed`.
    }
    assert.deepEqual(parts.trace, []);
    assert.equal(taken(await send({ logEpoch: 7 })).seq, 1);
    assert.equal(taken(await send({ logEpoch: 0, clientId: clientIdOf(2) })).seq, 2);
  });

  it("says that it was a duplicate", async () => {
    const { send } = world();
    assert.equal(taken(await send()).duplicate, false);
    assert.equal(taken(await send({ attempt: 2 })).duplicate, true);
  });

  it("is answered before the sender's read position is moved, by the place it got", async () => {
    const { parts, send, moved } = world();
    await send();
    await send({ userId: "bob", toUserId: "ann", clientId: clientIdOf(2) });
    assert.deepEqual(moved, ["ann 1 1", "bob 2 2"]);
    parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    refused(await send({ clientId: clientIdOf(3) }));
    assert.equal(moved.length, 2);
  });

  it("to oneself is refused", async () => {
    const { parts, send } = world();
    const error = refused(await send({ toUserId: "ann" }));
    assert.deepEqual([error.code, error.reason], [Code.INVALID_ARGUMENT, ErrorReason.SELF_THREAD]);
    assert.equal(error.committedNever, true);
    assert.deepEqual(parts.trace, []);
  });

  it("of a void, or of nothing, is refused: only the server writes voids", async () => {
    const { parts, sender } = world();
    for (const body of [create(BodySchema, { kind: { case: "void", value: {} } }), create(BodySchema)]) {
      const outcome = await new Promise<Accepted | HeddleError>((resolve) =>
        sender.send({ ...sendOf(), body }, resolve),
      );
      assert.equal(refused(outcome).reason, ErrorReason.INVALID_FIELD);
      assert.equal(refused(outcome).metadata.field, "body");
    }
    assert.deepEqual(parts.trace, []);
  });

  it("to a thread that is not the sender's is NOT_FOUND, for certain on a first attempt alone", async () => {
    const { parts, send } = world();
    for (const threadId of [parts.threadId, new Uint8Array(16)]) {
      const first = refused(await send({ userId: "cay", threadId, attempt: 1 }));
      assert.deepEqual([first.code, first.reason], [Code.NOT_FOUND, ErrorReason.THREAD_NOT_FOUND]);
      assert.equal(first.committedNever, true);
      for (const attempt of [0, 2]) {
        assert.equal(refused(await send({ userId: "cay", threadId, attempt })).committedNever, false);
      }
    }
    assert.deepEqual(parts.trace, []);
  });

  it("while the thread store is away fails with UNAVAILABLE, the cause inside", async () => {
    const { parts, send } = world();
    const cause = new Error("connection lost");
    parts.threads.onCall = () => Promise.reject(cause);
    const error = refused(await send());
    assert.deepEqual([error.code, error.reason], [Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE]);
    assert.equal(error.committedNever, false);
    assert.equal(error.cause, cause);
  });

  it("is not told whether a recipient who hides is there, or one where that cannot be read", async () => {
    const { send, visibilities, parts } = world();
    assert.equal(taken(await send()).recipientOffline, true);
    visibilities.hide("bob");
    assert.equal(taken(await send({ clientId: clientIdOf(2) })).recipientOffline, undefined);
    visibilities.isForgetful = true; // Nothing is remembered: it is read.
    assert.equal(taken(await send({ clientId: clientIdOf(3) })).recipientOffline, undefined);
    visibilities.show("bob");
    parts.channel.subscribed.add("user/bob");
    assert.equal(taken(await send({ clientId: clientIdOf(4) })).recipientOffline, false);
    visibilities.isAway = true;
    assert.equal(taken(await send({ clientId: clientIdOf(5) })).recipientOffline, undefined);
  });

  it("waits 10 s at most to be appended", async () => {
    const { parts, send } = world();
    // Every check fails, as if others were always faster; each takes a second.
    parts.store.onAppend = async () => {
      parts.clock.advance(1_000);
      return false;
    };
    const error = refused(await send());
    assert.deepEqual([error.code, error.committedNever], [Code.UNAVAILABLE, false]);
    assert.equal(parts.trace.filter((call) => call.startsWith("append")).length, 10);
  });
});

describe("A send that is held up", () => {
  it("is settled after 10 s while its round goes on, and so is one that waits for that round", async () => {
    const { parts, send, moved } = world({ isAnswered: false });
    const slow = () => later(parts.clock, 3_900);
    parts.store.onGet = (read) => slow().then(read);
    parts.store.onAppend = (apply) => slow().then(apply);
    parts.threads.onCall = slow;
    const startedMs = parts.clock.monotonicMs();
    const settledAtMs: number[] = [];
    const outcomes = [send(), send({ clientId: clientIdOf(2), attempt: 1 })].map(async (sending) => {
      const error = refused(await sending);
      settledAtMs.push(parts.clock.monotonicMs() - startedMs);
      return [error.code, error.committedNever];
    });
    for (let step = 0; step < 300; step++) {
      parts.clock.advance(100);
      await quiet();
    }
    assert.deepEqual(await Promise.all(outcomes), Array(2).fill([Code.UNAVAILABLE, false]));
    assert.deepEqual(settledAtMs, [10_000, 10_000]);
    assert.deepEqual(moved, ["ann 1 1", "ann 2 2"], "the round went through, and was the longer one");
    assert.equal(parts.appender.queuedBytes, 0);
    parts.store.onGet = undefined;
    assert.equal(taken(await send({ attempt: 2 })).duplicate, true);
  });

  it("is settled after 10 s where a thread is not found, or a visibility not read, in time", async () => {
    const { parts, send, visibilities } = world();
    parts.threads.onCall = () => new Promise(() => {});
    const finding = send();
    parts.clock.advance(10_000);
    assert.equal(refused(await finding).code, Code.UNAVAILABLE);
    parts.threads.onCall = undefined;
    visibilities.isForgetful = true;
    visibilities.readVisibility = () => new Promise(() => {});
    const reading = send();
    await quiet();
    parts.clock.advance(10_000);
    assert.equal(refused(await reading).committedNever, false);
  });

  it("is watched by one timer, which stops when none is open", async () => {
    const { parts, send } = world();
    await send();
    const waiting = () => parts.clock.waiting;
    parts.clock.advance(60_000);
    assert.equal(waiting(), 0);
    for (let at = 2; at < 9; at++) await send({ clientId: clientIdOf(at) });
    parts.clock.advance(9_999);
    const last = send({ clientId: clientIdOf(9) });
    parts.clock.advance(60_000);
    await last;
    assert.equal(waiting(), 0);
  });
});

/** Resolves when the clock has been moved so far. */
function later(clock: FakeClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}

/** `isAnswered`: each send is told that it is in the log, and before the position is moved. */
function world({ isAnswered = true } = {}) {
  const parts = new MessageParts();
  const visibilities = new MemoryVisibilities();
  const moved: string[] = [];
  const settled: number[] = [];
  const receipts = {
    ownMessage: (_log: unknown, { userId }: OwnSend, { seq, ordinal }: Counted) => {
      if (isAnswered) assert.equal(settled.length, moved.length + 1, "moved before it was answered");
      moved.push(`${userId} ${seq} ${ordinal}`);
    },
  };
  const sender = new Sender(
    {
      logs: parts.logs,
      appender: parts.appender,
      receipts,
      hiding: new Hiding({ visibilities }),
      views: parts.views,
    },
    parts.clock,
    10_000,
    { ...NO_HISTORY, logEpoch: 7 },
  );
  const send = (sample: SendSample = {}) =>
    new Promise<Accepted | HeddleError>((resolve) =>
      sender.send(sendOf(sample), (outcome) => {
        if (!(outcome instanceof HeddleError)) settled.push(outcome.seq);
        resolve(outcome);
      }),
    );
  return { parts, sender, send, moved, visibilities };
}

function taken(outcome: Accepted | HeddleError): Accepted {
  if (outcome instanceof HeddleError) throw outcome;
  return outcome;
}

function refused(outcome: Accepted | HeddleError): HeddleError {
  assert.ok(outcome instanceof HeddleError, "it was accepted");
  return outcome;
}
