import assert from "node:assert/strict";
import { Code, ErrorReason, HeddleError, storeUnavailable } from "../base/heddle-error.ts";
import { directThreadId } from "../base/thread-id.ts";
import { MessageParts } from "../testing/fakes/message/message-parts.ts";
import {
  clientIdOf,
  storedCell,
  storedClientId,
  storeLog,
  until,
} from "../testing/fakes/message/message-samples.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { decodeCell } from "./cells/entry-cell.ts";
import type { Committed, Verdict } from "./log/verdict.ts";
import type { Inquiry, Resolution } from "./resolve.ts";

describe("Resolving a send (docs/design.md, sections 2.4 and 5)", () => {
  it("says committed, with the stored cell, and passes the gate first", async () => {
    const { parts, resolve } = world();
    await storeLog(parts.store.inner, parts.threadId, 4, 9);
    const found = inLog(await resolve({ clientId: storedClientId(3), baseSeq: 1 }));
    assert.deepEqual([found.seq, found.isVoid, found.duplicate], [3, false, true]);
    assert.deepEqual(found.cell, storedCell(3).value);
    assert.deepEqual(parts.trace, ["touch ann bob", "publish entry 3"]);
  });

  it("finds a send by the two users of its thread as well", async () => {
    const { parts, resolve } = world();
    await parts.append(await parts.open());
    const found = inLog(await resolve({ threadId: undefined, toUserId: "bob" }));
    assert.equal(found.seq, 1);
  });

  it("does not say committed where the gate cannot be passed", async () => {
    const { parts, resolve } = world();
    await storeLog(parts.store.inner, parts.threadId, 4, 2);
    parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    await assert.rejects(resolve({ clientId: storedClientId(1) }), unavailable);
  });

  it("says unknown where it is not in the log, and writes nothing", async () => {
    const { parts, resolve } = world();
    await storeLog(parts.store.inner, parts.threadId, 4, 9);
    assert.equal(await resolve({ clientId: clientIdOf(1), baseSeq: 3 }), "unknown");
    assert.equal(await resolve({ threadId: undefined, toUserId: "cay" }), "unknown");
    assert.deepEqual(parts.trace, []);
    assert.equal(parts.threads.has(directThreadId("ann", "cay")), false);
  });

  it("reads the store, not what this server remembers", async () => {
    const { parts, resolve } = world();
    const log = await parts.open();
    await parts.append(log);
    await storeLog(parts.store.inner, parts.threadId, 4, 6, 1);
    assert.equal(inLog(await resolve({ clientId: storedClientId(6), baseSeq: 5 })).seq, 6);
  });

  it("says NOT_FOUND to one who never was a member, with a seal of a direct thread too", async () => {
    const { parts, resolve } = world();
    for (const seal of [false, true])
      await assert.rejects(resolve({ userId: "cay", seal }), reason(ErrorReason.THREAD_NOT_FOUND));
    const group = { threadId: new Uint8Array(16) };
    await assert.rejects(resolve(group), reason(ErrorReason.THREAD_NOT_FOUND));
    assert.deepEqual(parts.trace, []);
  });

  it("refuses a base_seq beyond the head, and a thread with oneself, with a seal too", async () => {
    const { parts, resolve } = world();
    await storeLog(parts.store.inner, parts.threadId, 4, 2);
    for (const seal of [false, true]) {
      await assert.rejects(resolve({ baseSeq: 3, seal }), (error) => {
        assert.ok(error instanceof HeddleError);
        assert.equal(error.reason, ErrorReason.BASE_BEYOND_HEAD);
        assert.deepEqual(error.metadata, { head_seq: "2" });
        return true;
      });
      const self = { threadId: undefined, toUserId: "ann", seal };
      await assert.rejects(resolve(self), reason(ErrorReason.SELF_THREAD));
    }
    assert.deepEqual(parts.trace, []);
  });
});

describe("A seal", () => {
  it("appends a void, which counts no message and touches no row", async () => {
    const { parts, resolve } = world();
    await storeLog(parts.store.inner, parts.threadId, 4, 2);
    const sealed = inLog(await resolve({ baseSeq: 1, seal: true }));
    assert.deepEqual([sealed.seq, sealed.isVoid, sealed.ordinal], [3, true, 2]);
    const cell = decodeCell(sealed.cell);
    assert.equal(cell.body?.kind.case, "void");
    assert.deepEqual(parts.trace, ["append 3", "publish entry 3"]);
  });

  it("says the same when it is repeated, with or without the seal", async () => {
    const { parts, resolve } = world();
    for (const seal of [true, true, false]) {
      const sealed = inLog(await resolve({ seal }));
      assert.deepEqual([sealed.seq, sealed.isVoid], [1, true]);
    }
    assert.equal(parts.trace.filter((call) => call.startsWith("append")).length, 1);
  });

  it("of a send that is in the log says committed", async () => {
    const { parts, resolve } = world();
    await parts.append(await parts.open());
    const found = inLog(await resolve({ seal: true }));
    assert.deepEqual([found.seq, found.isVoid], [1, false]);
    assert.equal(parts.trace.filter((call) => call.startsWith("append")).length, 1);
  });

  it("in a direct thread that is not there makes its rows first", async () => {
    const { parts, resolve } = world();
    const sealed = inLog(await resolve({ threadId: undefined, toUserId: "cay", seal: true }));
    assert.deepEqual(sealed.threadId, directThreadId("ann", "cay"));
    assert.deepEqual(parts.trace, ["create ann cay", "append 1"]);
  });

  it("refuses a send that comes after it as SEALED, for certain", async () => {
    const { parts, resolve } = world();
    await resolve({ seal: true });
    const error = refusal(await parts.append(await parts.open(), { attempt: 2 }));
    assert.deepEqual([error.code, error.reason], [Code.FAILED_PRECONDITION, ErrorReason.SEALED]);
    assert.equal(error.committedNever, true);
  });

  it("made elsewhere stops a send whose check-and-put was on its way", async () => {
    const { parts, resolve } = world();
    const elsewhere = new MessageParts(4, parts);
    const release = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    parts.store.onAppend = async (apply) => {
      parts.store.onAppend = undefined;
      held.resolve();
      await release.promise;
      return apply();
    };
    const sending = elsewhere.append(await elsewhere.open(), { attempt: 1 });
    await held.promise;
    assert.equal(inLog(await resolve({ seal: true })).isVoid, true);
    release.resolve();
    assert.equal(refusal(await sending).reason, ErrorReason.SEALED);
  });

  it("that comes while the send is being appended says committed", async () => {
    const { parts, resolve } = world();
    const release = Promise.withResolvers<void>();
    parts.store.onAppend = async (apply) => {
      await release.promise;
      return apply();
    };
    const sending = parts.append(await parts.open());
    await until(() => parts.trace.includes("append 1"));
    const sealing = resolve({ seal: true });
    await quiet();
    release.resolve();
    assert.deepEqual([inLog(await sealing).seq, inLog(await sealing).isVoid], [1, false]);
    assert.ok(!((await sending) instanceof HeddleError));
  });

  it("looks through more rows than an append does, down to base_seq", async () => {
    const { parts, resolve } = world();
    await storeLog(parts.store.inner, parts.threadId, 4, 41);
    assert.equal(inLog(await resolve({ clientId: storedClientId(1), seal: true })).seq, 1);
    const tooOld = await parts.append(await parts.open(), { baseSeq: 0, attempt: 2 });
    assert.equal(refusal(tooOld).reason, ErrorReason.BASE_TOO_OLD);
    const sealed = inLog(await resolve({ baseSeq: 0, seal: true }));
    assert.deepEqual([sealed.seq, sealed.isVoid], [42, true]);
    const late = await parts.append(await parts.open(), { baseSeq: 0, attempt: 3 });
    assert.equal(refusal(late).reason, ErrorReason.SEALED);
  });

  it("that could not be written is an error without certainty", async () => {
    const { parts, resolve } = world();
    parts.store.onAppend = () => Promise.reject(storeUnavailable("message"));
    await assert.rejects(resolve({ seal: true }), unavailable);
  });
});

function world() {
  const parts = new MessageParts(4);
  const resolve = (inquiry: Partial<Inquiry>) =>
    parts.resolver.resolve({
      userId: "ann",
      threadId: parts.threadId,
      toUserId: "",
      clientId: clientIdOf(1),
      baseSeq: 0,
      seal: false,
      ...inquiry,
    });
  return { parts, resolve };
}

function inLog(resolution: Resolution): Committed {
  assert.ok(resolution !== "unknown" && resolution !== "never", `it is ${resolution}`);
  return resolution;
}

function refusal(verdict: Verdict): HeddleError {
  assert.ok(verdict instanceof HeddleError, "it was accepted");
  return verdict;
}

function unavailable(error: unknown): boolean {
  return error instanceof HeddleError && error.code === Code.UNAVAILABLE && !error.committedNever;
}

function reason(expected: ErrorReason) {
  return (error: unknown) => error instanceof HeddleError && error.reason === expected;
}
