import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { MessageParts } from "../../testing/fakes/message/message-parts.ts";
import { clientIdOf, pendingOf, storeLog } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import type { Verdict } from "./verdict.ts";

describe("An append whose check-and-put says false", () => {
  it("although it was applied is accepted once, found in the log", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.store.onAppend = async (apply) => {
      parts.store.onAppend = undefined;
      await apply();
      return false;
    };
    assert.deepEqual(told(await parts.append(log)), { seq: 1, duplicate: true });
    assert.equal(await entryCount(parts), 1);
  });

  it("because another server won goes again above what that one wrote", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.append(log);
    await storeLog(parts.store.inner, parts.threadId, 4, 3, 1);
    const verdict = await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    assert.deepEqual(told(verdict), { seq: 4, duplicate: false });
    assert.equal(await entryCount(parts), 4);
  });

  it("is found under a new bucket as well", async () => {
    const parts = new MessageParts(1);
    const log = await parts.open();
    parts.store.onAppend = async (apply) => {
      parts.store.onAppend = undefined;
      await apply();
      return false;
    };
    const sends = [1, 2, 3].map((n) => parts.append(log, { clientId: clientIdOf(n) }));
    assert.deepEqual(
      (await Promise.all(sends)).map(told),
      [true, false, false].map((duplicate, at) => ({ seq: at + 1, duplicate })),
    );
  });

  it("says nothing for certain of a send that was tried, whatever it is refused for later", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.store.onAppend = async () => {
      // Others fill more rows than are searched for one send.
      parts.store.onAppend = undefined;
      await storeLog(parts.store.inner, parts.threadId, 4, 21);
      return false;
    };
    const error = refusal(await parts.append(log, { attempt: 1 }));
    assert.equal(error.reason, ErrorReason.BASE_TOO_OLD);
    assert.equal(error.committedNever, false);
  });
});

describe("An append while the store is away", () => {
  it("fails with UNAVAILABLE and without a word on whether it is in the log", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.store.onAppend = () => Promise.reject(storeUnavailable("message"));
    const error = refusal(await parts.append(log, { attempt: 1 }));
    assert.deepEqual([error.code, error.reason], [Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE]);
    assert.equal(error.committedNever, false);
  });

  it("fails so as well before anything was tried", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.store.onGet = () => Promise.reject(storeUnavailable("message"));
    const sends = [1, 2, 3].map((n) => parts.append(log, { clientId: clientIdOf(n) }));
    for (const verdict of await Promise.all(sends)) {
      assert.equal(refusal(verdict).code, Code.UNAVAILABLE);
      assert.equal(refusal(verdict).committedNever, false);
    }
    parts.store.onGet = undefined;
    assert.deepEqual(told(await parts.append(log, { attempt: 2 })), { seq: 1, duplicate: false });
    assert.equal(parts.appender.queuedBytes, 0);
  });

  it("that lost the answer gets its seq on a retry, and stands in the log once", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.store.onAppend = async (apply) => {
      parts.store.onAppend = undefined;
      await apply();
      throw storeUnavailable("message");
    };
    refusal(await parts.append(log));
    assert.deepEqual(told(await parts.append(log, { attempt: 2 })), { seq: 1, duplicate: true });
    assert.equal(await entryCount(parts), 1);
  });

  it("without an answer ends after 4 s, unknown; one that takes effect later is found", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    let late: (() => Promise<boolean>) | undefined;
    parts.store.onAppend = (apply) => {
      parts.store.onAppend = undefined;
      late = apply;
      return new Promise(() => {});
    };
    const sending = parts.append(log);
    await quiet();
    parts.clock.advance(4_250);
    assert.equal(refusal(await sending).code, Code.UNAVAILABLE);
    assert.equal(await late?.(), true);
    assert.deepEqual(told(await parts.append(log, { attempt: 2 })), { seq: 1, duplicate: true });
  });

  it("does not wait for ever for a read of its search", async () => {
    const parts = new MessageParts();
    await storeLog(parts.store.inner, parts.threadId, 4, 2);
    const log = await parts.open();
    parts.store.onGet = (read, _row, query) => (query.entries ? new Promise(() => {}) : read());
    const sending = parts.append(log);
    await quiet();
    parts.clock.advance(4_250);
    assert.equal(refusal(await sending).reason, ErrorReason.STORE_UNAVAILABLE);
  });

  it("settles a send that went back because of its base_seq, when the search for another fails", async () => {
    const parts = new MessageParts();
    await storeLog(parts.store.inner, parts.threadId, 4, 2);
    const log = await parts.open();
    parts.store.onGet = async (read, _row, query) => {
      if (!query.entries) return read();
      parts.store.onGet = undefined;
      throw storeUnavailable("message");
    };
    const beyond = parts.append(log, { clientId: clientIdOf(1), baseSeq: 9 });
    const searched = parts.append(log, { clientId: clientIdOf(2), baseSeq: 0 });
    assert.equal(refusal(await searched).reason, ErrorReason.STORE_UNAVAILABLE);
    assert.equal(refusal(await beyond).reason, ErrorReason.BASE_BEYOND_HEAD);
    assert.equal(parts.appender.queuedBytes, 0);
  });
});

describe("An append that cannot pass the gate", () => {
  it("is not answered, though it is in the log; its retry is published and answered", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    const error = refusal(await parts.append(log, { attempt: 1 }));
    assert.deepEqual([error.code, error.committedNever], [Code.UNAVAILABLE, false]);
    assert.equal(await entryCount(parts), 1);
    parts.channel.onPublish = undefined;
    assert.deepEqual(told(await parts.append(log, { attempt: 2 })), { seq: 1, duplicate: true });
    assert.ok(parts.channel.publications.some(({ seq }) => seq === 1));
  });

  it("is published before the next entry of the thread, though its own sender never comes back", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    refusal(await parts.append(log));
    parts.channel.onPublish = undefined;
    await parts.append(log, { userId: "bob", clientId: clientIdOf(2) });
    assert.deepEqual(
      parts.channel.publications.map(({ seq }) => seq),
      [1, 2],
    );
  });

  it("because nobody can be touched is not made", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    parts.threads.onCall = async (what) => {
      if (what === "touch") throw storeUnavailable("thread");
    };
    const error = refusal(await parts.append(log));
    assert.deepEqual([error.code, error.committedNever], [Code.UNAVAILABLE, false]);
    assert.deepEqual(parts.trace, ["touch ann bob"]);
  });

  it("is answered only after a touch, where the one before it ran out while the store was slow", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.append(log);
    parts.clock.advance(44_000);
    parts.store.onAppend = async (apply) => {
      parts.clock.advance(1_000);
      return apply();
    };
    parts.trace.length = 0;
    await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    assert.deepEqual(parts.trace, ["append 2", "touch ann bob", "publish entry 2"]);
  });
});

describe("A server that finds entries above the head it knew", () => {
  it("publishes them before its own", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.append(log);
    await storeLog(parts.store.inner, parts.threadId, 4, 6, 1);
    await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    assert.deepEqual(
      parts.channel.publications.map(({ seq }) => seq),
      [1, 2, 3, 4, 5, 6, 7],
    );
  });

  it("publishes the last 64: the gap before them tells of the rest", async () => {
    const parts = new MessageParts(512);
    const log = await parts.open();
    await parts.append(log);
    await storeLog(parts.store.inner, parts.threadId, 512, 100, 1);
    await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    const seqs = parts.channel.publications.map(({ seq }) => seq);
    assert.deepEqual([seqs.length, seqs[1], seqs.at(-1)], [66, 37, 101]);
  });

  it("publishes them again until it was done, before it answers anybody", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    await parts.append(log);
    await storeLog(parts.store.inner, parts.threadId, 4, 2, 1);
    parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    refusal(await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 }));
    parts.channel.onPublish = undefined;
    await parts.append(log, { clientId: clientIdOf(3), baseSeq: 1 });
    assert.deepEqual(
      parts.channel.publications.map(({ seq }) => seq),
      [1, 2, 3],
    );
  });

  it("publishes nothing of what was there before it first looked", async () => {
    const parts = new MessageParts();
    await storeLog(parts.store.inner, parts.threadId, 4, 3);
    await parts.append(await parts.open(), { baseSeq: 3 });
    assert.deepEqual(
      parts.channel.publications.map(({ seq }) => seq),
      [4],
    );
  });
});

describe("Sends that wait", () => {
  it("end with UNAVAILABLE when their time is over, and are not appended", async () => {
    const parts = new MessageParts();
    const log = await parts.open();
    const release = Promise.withResolvers<void>();
    parts.store.onAppend = async (apply) => {
      await release.promise;
      return apply();
    };
    const first = parts.append(log);
    await quiet();
    const expiresAtMs = parts.clock.monotonicMs() + 1_000;
    const late = parts.append(log, { clientId: clientIdOf(2), expiresAtMs });
    parts.clock.advance(1_000);
    release.resolve();
    assert.equal(told(await first).seq, 1);
    assert.equal(refusal(await late).code, Code.UNAVAILABLE);
    assert.equal(await entryCount(parts), 1);
    assert.equal(parts.appender.queuedBytes, 0);
  });

  it("are refused beyond 1 MiB a thread, for certain on a first attempt alone", async () => {
    const parts = held();
    const log = await parts.open();
    const text = "a".repeat(1 << 20);
    const queued = parts.append(log, { text });
    const first = refusal(await parts.append(log, { clientId: clientIdOf(2), attempt: 1 }));
    assert.deepEqual([first.code, first.reason], [Code.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED]);
    assert.deepEqual(first.metadata, { queue: "append", committed: "never" });
    assert.ok(first.retryAfterMs > 0);
    const second = refusal(await parts.append(log, { clientId: clientIdOf(2), attempt: 2 }));
    assert.equal(second.committedNever, false);
    parts.clock.advance(4_250);
    refusal(await queued);
    assert.equal(parts.appender.queuedBytes, 0);
  });

  it("are refused beyond 64 MiB of all threads", async () => {
    const parts = held();
    const body = { bytes: new Uint8Array(65 << 20), hash: new Uint8Array(32), isMessage: true };
    parts.appender.append(await parts.open(), { ...pendingOf(), body });
    const other = await parts.logs.open(parts.threads.add("cay", "dan"), "cay");
    const error = refusal(await parts.append(other, { userId: "cay" }));
    assert.equal(error.reason, ErrorReason.OVERLOADED);
  });
});

/** A service whose store never answers: what is sent stays queued. */
function held(): MessageParts {
  const parts = new MessageParts();
  parts.store.onGet = () => new Promise(() => {});
  return parts;
}

async function entryCount(parts: MessageParts): Promise<number> {
  const entries = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };
  return (await parts.store.inner.get({ threadId: parts.threadId, bucket: 0 }, { entries })).entries.length;
}

function told(verdict: Verdict): { seq: number; duplicate: boolean } {
  if (verdict instanceof HeddleError) throw verdict;
  return { seq: verdict.seq, duplicate: verdict.duplicate };
}

function refusal(verdict: Verdict): HeddleError {
  assert.ok(verdict instanceof HeddleError, "it was accepted");
  return verdict;
}
