import assert from "node:assert/strict";
import { toBinary } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { EntryCellSchema } from "../../gen/heddle/message/v1/entry_pb.js";
import { MessageParts } from "../../testing/fakes/message/message-parts.ts";
import { clientIdOf, type PendingSample, storeLog } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { entryFrame } from "../../wire/event-frames.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import type { Committed, Verdict } from "./verdict.ts";

describe("An append (docs/design.md, section 5)", () => {
  it("takes what is sent in one turn as one batch, though it remembers all that it needs", async () => {
    const parts = new MessageParts(8);
    const log = await parts.open();
    await parts.append(log, { clientId: clientIdOf(1) });
    parts.trace.length = 0;
    await Promise.all([2, 3, 4].map((n) => parts.append(log, { clientId: clientIdOf(n) })));
    assert.equal(parts.trace[0], "append 2 3 4");
  });

  it("touches, commits, publishes and only then answers", async () => {
    const parts = new MessageParts();
    parts.channel.subscribed.add("user/bob");
    const log = await parts.open();
    const verdict = committed(await parts.append(log));
    assert.deepEqual(parts.trace, ["touch ann bob", "append 1", "publish entry 1"]);
    const { cell, ...rest } = verdict;
    assert.deepEqual(rest, {
      threadId: parts.threadId,
      seq: 1,
      createdAtMs: parts.clock.nowMs(),
      ordinal: 1,
      isVoid: false,
      duplicate: false,
      online: [false, true],
    });
    assert.deepEqual((await entries(parts))[0]?.value, cell);
  });

  it("puts into one batch what came in one turn, and what came while an append was in flight", async () => {
    const parts = new MessageParts(512);
    const log = await parts.open();
    const release = Promise.withResolvers<void>();
    parts.store.onAppend = async (apply) => {
      await release.promise;
      return apply();
    };
    const first = [1, 2].map((n) => parts.append(log, { clientId: clientIdOf(n) }));
    await quiet();
    const later = [3, 4, 5].map((n) => parts.append(log, { clientId: clientIdOf(n) }));
    await quiet();
    assert.deepEqual(appends(parts), ["append 1 2"]);
    release.resolve();
    assert.deepEqual((await Promise.all([...first, ...later])).map(seqOf), [1, 2, 3, 4, 5]);
    assert.deepEqual(appends(parts), ["append 1 2", "append 3 4 5"]);
    assert.equal(parts.appender.queuedBytes, 0);
  });

  it("cuts a batch at the bucket boundary, and opens the next row against an absent head", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    const all = numbered(10).map((sample) => parts.append(log, sample));
    assert.deepEqual(
      (await Promise.all(all)).map(seqOf),
      numbered(10).map((_, at) => at + 1),
    );
    assert.deepEqual(appends(parts), ["append 1 2 3 4", "append 5 6 7 8", "append 9 10"]);
    assert.equal((await entries(parts, 1)).length, 4);
  });

  it("goes on where another server left off, from a hint that is too low", async () => {
    const parts = new MessageParts(4);
    await storeLog(parts.store.inner, parts.threadId, 4, 8);
    const log = await parts.open();
    assert.equal(seqOf(await parts.append(log, { baseSeq: 8 })), 9);
    assert.equal((await entries(parts, 2)).length, 1);
  });

  it("cuts a batch at 1 MiB", async () => {
    const parts = new MessageParts(512);
    const log = await parts.open();
    const text = "a".repeat(100_000);
    const all = numbered(11).map((sample) => parts.append(log, { ...sample, text }));
    await Promise.all(all);
    assert.deepEqual(
      appends(parts).map((append) => append.split(" ").length - 1),
      [10, 1],
    );
  });

  it("gives each sender of a busy thread a turn", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    const many = numbered(20).map((sample) => parts.append(log, sample));
    const one = parts.append(log, { userId: "bob", clientId: clientIdOf(99) });
    assert.equal(seqOf(await one), 2);
    await Promise.all(many);
  });

  it("reads nothing of a thread whose head it knows", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    await parts.append(log);
    parts.store.gets.length = 0;
    await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    assert.deepEqual(parts.store.gets, []);
  });
});

describe("A repeat of a send", () => {
  it("is answered and published with the stored cell, never with its own bytes", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const first = committed(await parts.append(log, { text: "hi" }));
    parts.clock.advance(5_000);
    const again = committed(await parts.append(log, { text: "hi", attempt: 2, originSession: "5e55" }));
    assert.deepEqual(again, { ...first, duplicate: true });
    const [, published] = parts.channel.publications;
    assert.deepEqual(published?.frame, entryFrame(parts.threadId, 1, first.cell));
    assert.equal(published?.originSession, "5e55");
    await quiet();
    assert.deepEqual(appends(parts), ["append 1"]);
  });

  it("is found by a server that has just started", async () => {
    const parts = new MessageParts();
    const first = committed(await parts.append(await parts.open()));
    const restarted = new MessageParts(4, parts);
    const again = await restarted.append(await restarted.open(), { attempt: 2 });
    assert.deepEqual(committed(again), { ...first, duplicate: true });
  });

  it("is recognised under another base_seq, and after its hash was erased", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const first = committed(await parts.append(log));
    assert.equal(seqOf(await parts.append(log, { baseSeq: 1, attempt: 2 })), 1);
    const erased = toBinary(EntryCellSchema, { ...decodeCell(first.cell), payloadHash: new Uint8Array(0) });
    const { head } = await parts.store.inner.get(row(parts), { head: true });
    const [stored] = await entries(parts);
    assert.ok(head && stored);
    await parts.store.inner.checkAndPut(row(parts), head, head, [{ ...stored, value: erased }]);
    const again = committed(await parts.append(log, { text: "whatever it was", attempt: 2 }));
    assert.deepEqual([again.seq, again.cell], [1, erased]);
  });

  it("is refused with ALREADY_EXISTS and the seq where the payload is another", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.append(log, { text: "hi" });
    const error = refusal(await parts.append(log, { text: "ho", attempt: 2 }));
    assert.deepEqual([error.code, error.reason], [Code.ALREADY_EXISTS, ErrorReason.CLIENT_ID_REUSED]);
    assert.deepEqual(error.metadata, { seq: "1" });
    assert.equal((await entries(parts)).length, 1);
  });

  it("is refused as SEALED, for certain, where a void stands", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const sealed = committed(await parts.append(log, { kind: "void", attempt: 0 }));
    assert.deepEqual([sealed.seq, sealed.ordinal, sealed.isVoid], [1, 0, true]);
    const error = refusal(await parts.append(log, { attempt: 3 }));
    assert.deepEqual([error.code, error.reason], [Code.FAILED_PRECONDITION, ErrorReason.SEALED]);
    assert.deepEqual(error.metadata, { seq: "1", committed: "never" });
  });

  it("in the same batch joins the first and shares its answer", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const sends: PendingSample[] = [{}, { attempt: 2 }, { attempt: 3, text: "other" }, { kind: "void" }];
    const [first, joined, other, seal] = await Promise.all(sends.map((sample) => parts.append(log, sample)));
    assert.deepEqual(appends(parts), ["append 1"]);
    assert.deepEqual(committed(joined), { ...committed(first), duplicate: true });
    assert.equal(refusal(other).reason, ErrorReason.CLIENT_ID_REUSED);
    assert.deepEqual([committed(seal).seq, committed(seal).isVoid], [1, false]);
    assert.equal(parts.channel.publications.length, 1);
  });

  it("that joins a void is sealed", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const sends: PendingSample[] = [{ kind: "void" }, {}];
    const [seal, send] = await Promise.all(sends.map((sample) => parts.append(log, sample)));
    assert.equal(committed(seal).isVoid, true);
    assert.equal(refusal(send).reason, ErrorReason.SEALED);
  });
});

describe("The base_seq of a send", () => {
  it("above a head that is old is judged again at one read anew", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    await parts.append(log);
    const other = new MessageParts(4, parts);
    const elsewhere = await other.open();
    for (const n of [2, 3]) await other.append(elsewhere, { clientId: clientIdOf(n), baseSeq: n - 1 });
    assert.equal(seqOf(await parts.append(log, { clientId: clientIdOf(4), baseSeq: 3 })), 4);
  });

  it("above a head that was being read when the send came is judged again at one read after it", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    const answer = Promise.withResolvers<void>();
    parts.store.onGet = async (read) => {
      const seen = await read();
      await answer.promise;
      return seen;
    };
    const first = parts.append(log, { clientId: clientIdOf(1) });
    await quiet();
    // The head of an empty thread is on its way; now entry 1 is written elsewhere, and a reply to it comes here.
    await storeLog(parts.store.inner, parts.threadId, 4, 1);
    const reply = parts.append(log, { clientId: clientIdOf(2), userId: "bob", baseSeq: 1 });
    answer.resolve();
    const seqs = (await Promise.all([first, reply])).map(seqOf);
    assert.deepEqual(seqs.toSorted(), [2, 3]);
  });

  it("above the head in the store is refused, with the head; for certain on a first attempt", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    await parts.append(log);
    const first = refusal(await parts.append(log, { clientId: clientIdOf(2), baseSeq: 2 }));
    assert.deepEqual([first.code, first.reason], [Code.INVALID_ARGUMENT, ErrorReason.BASE_BEYOND_HEAD]);
    assert.deepEqual(first.metadata, { head_seq: "1", committed: "never" });
    const second = refusal(await parts.append(log, { clientId: clientIdOf(2), baseSeq: 2, attempt: 2 }));
    assert.deepEqual(second.metadata, { head_seq: "1" });
  });

  it("above the head does not hold up those that came with it", async () => {
    const parts = new MessageParts(4);
    const log = await parts.open();
    const sends = [
      { clientId: clientIdOf(1), baseSeq: 7 },
      { clientId: clientIdOf(2) },
      { clientId: clientIdOf(3) },
    ];
    const [beyond, ...others] = await Promise.all(sends.map((sample) => parts.append(log, sample)));
    assert.equal(refusal(beyond).reason, ErrorReason.BASE_BEYOND_HEAD);
    assert.deepEqual(others.map(seqOf), [1, 2]);
  });

  it("too far below the head is refused alone, for certain on a first attempt", async () => {
    const parts = new MessageParts(4);
    await storeLog(parts.store.inner, parts.threadId, 4, 21);
    const log = await parts.open();
    const sends = [{ clientId: clientIdOf(1) }, { clientId: clientIdOf(2), baseSeq: 21 }];
    const [old, fresh] = await Promise.all(sends.map((sample) => parts.append(log, sample)));
    assert.equal(refusal(old).reason, ErrorReason.BASE_TOO_OLD);
    assert.deepEqual(refusal(old).metadata, { head_seq: "21", committed: "never" });
    assert.equal(seqOf(fresh), 22);
  });
});

function numbered(count: number): PendingSample[] {
  return Array.from({ length: count }, (_, at) => ({ clientId: clientIdOf(at + 1) }));
}

function appends(parts: MessageParts): string[] {
  return parts.trace.filter((call) => call.startsWith("append"));
}

function row(parts: MessageParts, bucket = 0) {
  return { threadId: parts.threadId, bucket };
}

async function entries(parts: MessageParts, bucket = 0) {
  const all = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };
  return (await parts.store.inner.get(row(parts, bucket), { entries: all })).entries;
}

function committed(verdict: Verdict | undefined): Committed {
  if (!verdict || verdict instanceof HeddleError) throw verdict ?? new Error("no verdict");
  return verdict;
}

function seqOf(verdict: Verdict | undefined): number {
  return committed(verdict).seq;
}

function refusal(verdict: Verdict | undefined): HeddleError {
  assert.ok(verdict instanceof HeddleError, "it was accepted");
  return verdict;
}
