import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { encodeHead } from "../base/head.ts";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { directThreadId } from "../base/thread-id.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { GroupParts } from "../testing/fakes/message/group-parts.ts";
import { clientIdOf, logStoreOf, pendingOf } from "../testing/fakes/message/message-samples.ts";
import { encodeCell } from "../wire/entry-bytes.ts";
import { decodeCell, encodeBody } from "./cells/entry-cell.ts";
import { positionsOf } from "./cells/receipt-cell.ts";
import { RECEIPTS_BUCKET } from "./ports.ts";
import type { Inquiry, Resolution } from "./resolve.ts";
import { MAX_SEALS } from "./seals.ts";

describe("A void", () => {
  it("names no one: not its sender, not its client_id; their hash stays with the log", async () => {
    const { parts, seal, cellAt } = await made();
    await seal({ userId: "ann", n: 1 });
    const cell = await cellAt(2);
    assert.deepEqual([cell.sender, cell.clientId.length, cell.baseSeq], ["", 0, 0n]);
    assert.equal(cell.body?.kind.case, "void");
    const hash = createHash("sha256").update("ann\0").update(clientIdOf(1)).digest();
    assert.deepEqual(Buffer.from(cell.payloadHash), hash);
    const told = parts.channel.publications.at(-1);
    assert.deepEqual([told?.seq, told?.userId], [2, ""]);
    assert.ok(!Buffer.from(told?.frame ?? []).includes("ann"));
    assert.ok(!Buffer.from(told?.frame ?? []).includes(hash));
  });

  it("is found by the send that it seals, and by no other", async () => {
    const { parts, seal } = await made();
    await seal({ userId: "ann", n: 1 });
    const log = await parts.openGroup();
    const late = await parts.append(log, { clientId: clientIdOf(1), attempt: 2 });
    assert.ok(late instanceof HeddleError && late.reason === ErrorReason.SEALED && late.committedNever);
    assert.equal((await seal({ userId: "ann", n: 1 })) === "never", false);
    const other = await parts.append(log, { userId: "bob", clientId: clientIdOf(1) });
    assert.ok(!(other instanceof HeddleError) && other.seq === 3);
    const fresh = new GroupParts({ store: parts.store, threads: parts.threads, channel: parts.channel });
    const again = await fresh.append(await fresh.openGroup(), { clientId: clientIdOf(1), attempt: 3 });
    assert.ok(again instanceof HeddleError && again.reason === ErrorReason.SEALED);
  });

  it("that was written with its sender and client_id is found as well", async () => {
    const { parts, seal } = await made();
    const { tag } = pendingOf({ clientId: clientIdOf(1) });
    const sender = "ann";
    const body = encodeBody(create(BodySchema, { kind: { case: "void", value: {} } }));
    const fields = { sender, clientId: clientIdOf(1), baseSeq: 1, ordinal: 0, createdAtMs: 7, body };
    const head = await parts.storedHead();
    assert.ok(head);
    const row = { threadId: parts.groupId, bucket: 0 };
    const cells = [{ seq: 2, tag, value: encodeCell(fields) }];
    await parts.store.inner.checkAndPut(row, encodeHead(head), encodeHead({ ...head, seq: 2 }), cells);
    const found = await seal({ userId: "ann", n: 1 });
    assert.ok(found !== "unknown" && found !== "never" && found.isVoid);
    assert.equal(found.seq, 2);
  });

  it("touches no row, and in a direct thread without a message is told to nobody", async () => {
    const { parts, seal } = await made();
    parts.clock.advance(60_000);
    parts.trace.length = 0;
    await seal({ userId: "ann", n: 1 });
    assert.deepEqual(parts.trace, ["append 2", "publish entry 2"]);
    parts.trace.length = 0;
    await seal({ userId: "ann", n: 1, threadId: undefined, toUserId: "zed" });
    assert.deepEqual(parts.trace, ["create ann zed", "append 1"]);
    const log = await parts.logs.open(directThreadId("ann", "zed"), "ann");
    parts.trace.length = 0;
    await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    assert.deepEqual(parts.trace, ["touch ann zed", "append 2", "publish entry 2"]);
    parts.trace.length = 0;
    await seal({ userId: "zed", n: 3, threadId: undefined, toUserId: "ann" });
    assert.deepEqual(parts.trace, ["append 3", "publish entry 3"]);
  });

  it("that another server finds above the head it knew touches no row either", async () => {
    const { parts, seal } = await made();
    const other = new GroupParts({
      store: parts.store,
      threads: parts.threads,
      channel: parts.channel,
      trace: parts.trace,
    });
    await other.append(await other.openGroup(), { clientId: clientIdOf(8) });
    await seal({ userId: "ann", n: 1 });
    parts.trace.length = 0;
    other.clock.advance(60_000);
    await other.append(await other.openGroup(), { clientId: clientIdOf(9), baseSeq: 3 });
    assert.deepEqual(
      parts.trace.filter((call) => !call.startsWith("append")),
      ["publish entry 3", "touch ann bob cid", "publish entry 4"],
    );
  });
});

describe("A seal", () => {
  it("of an ex-member is answered without seq, as often as it is asked, and so is its send", async () => {
    const { parts, seal } = await left();
    for (let times = 0; times < 2; times++) assert.equal(await seal({ userId: "cid", n: 1 }), "never");
    assert.equal((await parts.storedHead())?.seq, 3, "one void");
    assert.equal(await seal({ userId: "cid", n: 1, seal: false }), "never");
    const log = await parts.openGroup("cid");
    const late = await parts.append(log, { userId: "cid", clientId: clientIdOf(1), attempt: 2 });
    assert.ok(late instanceof HeddleError && late.reason === ErrorReason.SEALED);
    assert.equal(late.metadata.seq, undefined);
  });

  it("of what an ex-member sent while it was in says where it is", async () => {
    const { parts, seal } = await made();
    const log = await parts.openGroup("cid");
    await parts.append(log, { userId: "cid", clientId: clientIdOf(1) });
    await parts.ask("cid", 50, { kind: "leave" });
    const found = await seal({ userId: "cid", n: 1 });
    assert.ok(found !== "unknown" && found !== "never");
    assert.deepEqual([found.seq, found.isVoid], [2, false]);
  });

  it(`of an ex-member is refused beyond ${MAX_SEALS}, whichever server is asked, however many at once`, async () => {
    const { parts, seal } = await left();
    const asked = Array.from({ length: 100 }, (_, n) => seal({ userId: "cid", n }).catch((error) => error));
    const answers = await Promise.all(asked);
    assert.equal(answers.filter((answer) => answer === "never").length, MAX_SEALS);
    assert.ok(answers.every((answer) => answer === "never" || isTooMany(answer)));
    const other = await left(parts);
    const sealed = answers.indexOf("never");
    assert.equal(await other.seal({ userId: "cid", n: sealed }), "never", "the same again");
    await assert.rejects(other.seal({ userId: "cid", n: 1_000 }), isTooMany);
    assert.equal((await parts.storedHead())?.seq, 2 + MAX_SEALS);
    await other.seal({ userId: "ann", n: 1_000 });
    assert.deepEqual([...(await receiptsOf(other.parts)).keys()], [], "nothing of it is a receipt");
  });

  it("of an ex-member counts, whichever other server counts another at that moment", async () => {
    const { parts, seal } = await left();
    const other = await left(parts);
    const asked = Array.from({ length: 200 }, (_, n) =>
      (n % 2 === 0 ? seal : other.seal)({ userId: "cid", n }).catch((error) => error),
    );
    const answers = await Promise.all(asked);
    const sealed = answers.filter((answer) => answer === "never").length;
    assert.ok(sealed >= MAX_SEALS && sealed <= MAX_SEALS + 1, `${sealed} seals through two servers`);
    assert.equal(answers.filter(isTooMany).length, 200 - sealed);
    assert.equal((await parts.storedHead())?.seq, 2 + sealed);
  });

  it("of an ex-member counts together with those that an earlier release has counted in one cell", async () => {
    const { parts, seal } = await left();
    const tags = Array.from(
      { length: MAX_SEALS - 1 },
      (_, n) => pendingOf({ userId: "cid", clientId: clientIdOf(n) }).tag,
    );
    const cell = {
      qualifier: Buffer.from("cid\0v", "latin1"),
      timestamp: tags.length,
      value: Buffer.concat(tags),
    };
    await parts.store.inner.put({ threadId: parts.groupId, bucket: RECEIPTS_BUCKET }, "x", [cell]);
    for (const n of [0, 500, 500, 1]) assert.equal(await seal({ userId: "cid", n }), "never");
    await assert.rejects(seal({ userId: "cid", n: 501 }), isTooMany);
  });

  it(`of a blocked user is refused beyond ${MAX_SEALS}; the other's is not`, async () => {
    const { parts, seal } = await made();
    const direct = { threadId: parts.threadId };
    await parts.append(await parts.open(), { clientId: clientIdOf(500) });
    parts.threads.memory.setBlock("bob", "ann", true);
    await parts.appender.raiseEpoch(await parts.open());
    for (let n = 0; n < MAX_SEALS; n++) {
      const found = await seal({ ...direct, userId: "ann", n });
      assert.ok(found !== "unknown" && found !== "never" && found.isVoid);
    }
    await assert.rejects(seal({ ...direct, userId: "ann", n: 99 }), isTooMany);
    await seal({ ...direct, userId: "bob", n: 1 });
  });

  it("of one who never was a member of a group is never, without an entry, and whether there is such a group", async () => {
    const { parts, seal } = await made();
    parts.trace.length = 0;
    assert.equal(await seal({ userId: "zed", n: 1 }), "never");
    assert.equal(await seal({ userId: "zed", n: 1, threadId: new Uint8Array(16) }), "never");
    await assert.rejects(seal({ userId: "zed", n: 1, seal: false }), isNotFound);
    await assert.rejects(seal({ userId: "zed", n: 1, threadId: parts.threadId }), isNotFound);
    assert.deepEqual(parts.trace, []);
    assert.equal((await parts.storedHead())?.seq, 1);
  });
});

type Asked = Partial<Inquiry> & { readonly userId: string; readonly n: number };

/** A group of ann's, bob's and cid's: seq 1 is the head. */
async function made(shared: Partial<GroupParts> = {}) {
  const parts = new GroupParts(shared, 512);
  await parts.create();
  const seal = ({ n, ...asked }: Asked): Promise<Resolution> =>
    parts.resolver.resolve({
      threadId: parts.groupId,
      toUserId: "",
      clientId: clientIdOf(n),
      baseSeq: 0,
      seal: true,
      ...asked,
    });
  const cellAt = async (seq: number) => {
    const value = await logStoreOf(parts.store.inner, 512).cell(parts.groupId, seq);
    return decodeCell(value ?? assert.fail());
  };
  return { parts, seal, cellAt };
}

/** The same, and cid has left it: seq 2. On the ports of another server, if there is one. */
async function left(before?: GroupParts) {
  const world = await made(
    before && { store: before.store, threads: before.threads, channel: before.channel },
  );
  await world.parts.ask("cid", 9_998, { kind: "leave" });
  return world;
}

async function receiptsOf(parts: GroupParts) {
  return positionsOf(await logStoreOf(parts.store.inner, 512).receipts(parts.groupId));
}

function isTooMany(error: unknown): boolean {
  return (
    error instanceof HeddleError &&
    error.code === Code.RESOURCE_EXHAUSTED &&
    error.reason === ErrorReason.TOO_MANY_SEALS
  );
}

function isNotFound(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.THREAD_NOT_FOUND;
}
