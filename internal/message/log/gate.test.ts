import assert from "node:assert/strict";
import { ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { MessageParts } from "../../testing/fakes/message/message-parts.ts";
import { storedCell, until } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { entryFrame } from "../../wire/event-frames.ts";
import type { StoredEntry } from "./gate.ts";

describe("The gate (docs/design.md, sections 5 and 6)", () => {
  it("touches members that no touch covers before an append, and waits", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const release = Promise.withResolvers<void>();
    parts.threads.onCall = () => release.promise;
    let covered = false;
    const covering = parts.gate.cover(log).then(() => {
      covered = true;
    });
    await quiet();
    assert.deepEqual(parts.trace, ["touch ann bob"]);
    assert.equal(covered, false);
    release.resolve();
    await covering;
    await parts.gate.cover(log);
    assert.deepEqual(parts.trace, ["touch ann bob"]);
  });

  it("touches one member alone where the other is covered", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.ledger.confirmed(log.touches, ["ann"], parts.ledger.beforeSending());
    await parts.gate.cover(log);
    assert.deepEqual(parts.trace, ["touch bob"]);
  });

  it("judges ages after the append: a touch that ran out meanwhile is made again before the event goes", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.gate.cover(log);
    parts.clock.advance(45_000);
    await parts.gate.pass(log, [entryOf(1)]);
    assert.deepEqual(parts.trace, ["touch ann bob", "touch ann bob", "publish entry 1"]);
  });

  it("does not answer when that touch fails, and publishes nothing", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.threads.onCall = () => Promise.reject(storeUnavailable("thread"));
    await assert.rejects(parts.gate.pass(log, [entryOf(1)]), reason(ErrorReason.STORE_UNAVAILABLE));
    assert.deepEqual(parts.channel.publications, []);
  });

  it("counts a touch from before it was sent, not from its confirmation", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.threads.onCall = async () => parts.clock.advance(3_000);
    await parts.gate.cover(log);
    parts.threads.onCall = undefined;
    parts.clock.advance(42_000);
    await parts.gate.pass(log, [entryOf(1)]);
    assert.deepEqual(parts.trace, ["touch ann bob", "touch ann bob", "publish entry 1"]);
  });

  it("notes nothing of a touch whose deadline passed, though it is confirmed later", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const release = Promise.withResolvers<void>();
    parts.threads.onCall = () => release.promise;
    const covering = assert.rejects(parts.gate.cover(log), reason(ErrorReason.STORE_UNAVAILABLE));
    parts.clock.advance(5_000);
    await covering;
    release.resolve();
    await quiet();
    await parts.gate.pass(log, [entryOf(1)]);
    assert.deepEqual(parts.trace, ["touch ann bob", "touch ann bob", "publish entry 1"]);
  });

  it("renews a touch of 40 s in the background, once, without holding up answers", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.gate.cover(log);
    parts.clock.advance(40_000);
    const release = Promise.withResolvers<void>();
    parts.threads.onCall = async (what) => (what === "touch" ? release.promise : undefined);
    await parts.gate.pass(log, [entryOf(1)]);
    await parts.gate.pass(log, [entryOf(2)]);
    const renewed = ["touch ann bob", "publish entry 1", "touch ann bob", "publish entry 2"];
    assert.deepEqual(parts.trace, renewed);
    release.resolve();
    await until(() => !log.touches.isRenewing);
    parts.clock.advance(30_000);
    await parts.gate.pass(log, [entryOf(3)]);
    assert.deepEqual(parts.trace, [...renewed, "publish entry 3"]);
  });

  it("waits for a touch where the renewal failed and the old one ran out", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.gate.cover(log);
    parts.clock.advance(40_000);
    parts.threads.onCall = async (what) => {
      if (what === "touch") throw storeUnavailable("thread");
    };
    await parts.gate.pass(log, [entryOf(1)]);
    await until(() => !log.touches.isRenewing);
    parts.threads.onCall = undefined;
    parts.clock.advance(5_000);
    parts.trace.length = 0;
    await parts.gate.pass(log, [entryOf(2)]);
    assert.deepEqual(parts.trace, ["touch ann bob", "publish entry 2"]);
  });

  it("notes once who has written, before it publishes; a void is no message", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.gate.pass(log, [{ ...entryOf(1), isMessage: false }]);
    assert.deepEqual(parts.threads.writers, []);
    const release = Promise.withResolvers<void>();
    parts.threads.onCall = () => release.promise;
    const passing = parts.gate.pass(log, [entryOf(2), entryOf(3)]);
    await quiet();
    assert.equal(parts.channel.publications.length, 1);
    release.resolve();
    await passing;
    await parts.gate.pass(log, [entryOf(4)]);
    assert.deepEqual(parts.threads.writers, [{ userId: "ann", seq: 3 }]);
  });

  it("answers nothing while it cannot note who has written", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.gate.cover(log);
    parts.threads.onCall = () => Promise.reject(storeUnavailable("thread"));
    await assert.rejects(parts.gate.pass(log, [entryOf(1)]), reason(ErrorReason.STORE_UNAVAILABLE));
    assert.equal(parts.channel.publications.length, 0);
  });

  it("hands over each entry, in order, to every member's inbox, with who caused it", async () => {
    const parts = new MessageParts();
    parts.channel.subscribed.add("user/bob");
    const log = await parts.open();
    const words = await parts.gate.pass(log, [entryOf(1), { ...entryOf(2), originSession: "5e55" }]);
    assert.deepEqual(
      words.map(({ subscribed }) => subscribed),
      [
        [false, true],
        [false, true],
      ],
    );
    assert.deepEqual(
      parts.channel.publications.map(({ seq }) => seq),
      [1, 2],
    );
    assert.deepEqual(parts.channel.publications[1], {
      kind: "entry",
      topics: ["user/ann", "user/bob"],
      frame: entryFrame(parts.threadId, 2, storedCell(2).value),
      thread: log.key,
      seq: 2,
      ordinal: 2,
      userId: "ann",
      originSession: "5e55",
    });
  });

  it("does not answer where the event was not handed over", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    await assert.rejects(parts.gate.pass(log, [entryOf(1)]), HeddleError);
  });

  it("gives up a hand-off after 2 s, and a touch after 4 s", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.channel.onPublish = () => new Promise(() => {});
    await parts.gate.cover(log);
    const passing = assert.rejects(parts.gate.pass(log, [entryOf(1)]), reason(ErrorReason.HAND_OFF_FAILED));
    await quiet();
    parts.clock.advance(2_250);
    await passing;

    parts.threads.onCall = () => new Promise(() => {});
    parts.clock.advance(45_000);
    const covering = assert.rejects(parts.gate.cover(log), reason(ErrorReason.STORE_UNAVAILABLE));
    await quiet();
    parts.clock.advance(4_250);
    await covering;
  });
});

function entryOf(seq: number): StoredEntry {
  return {
    seq,
    ordinal: seq,
    sender: "ann",
    isMessage: true,
    cell: storedCell(seq).value,
    originSession: "",
  };
}

function reason(expected: ErrorReason) {
  return (error: unknown) => error instanceof HeddleError && error.reason === expected;
}
