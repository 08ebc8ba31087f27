import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { entryNameBytes } from "../../../base/history.ts";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import type { RecordedHeddle } from "./recorded-heddle.ts";
import { sendOf } from "./send-request.ts";

/** Two users who do nothing else: their seqs are known at each step. */
const THREAD = directThreadId("cleo", "dan");

/** What unary calls ask and answer, spread over the protocols. */
export function byCalls(recorded: () => RecordedHeddle): void {
  /** Ids as texts, to compare. */
  const hexes = (ids: readonly Uint8Array[]) => ids.map(hex);

  it("CreateDirectThread: the thread, the same one each time", async () => {
    const { thread } = recorded().as("cleo", "connect");
    const request = { userId: "dan", requestId: randomBytes(16) };
    const first = (await thread.createDirectThread(request)).thread;
    assert.equal(hex(first?.threadId ?? assert.fail()), hex(THREAD));
    assert.equal(first?.head?.seq, 0n);
    assert.deepEqual((await thread.createDirectThread(request)).thread, first);
  });

  it("Send: answers as accepted does, to a user and to a thread", async () => {
    const { message } = recorded().as("cleo", "grpcWeb");
    const send = sendOf("dan", "one");
    const first = await message.send(send);
    assert.deepEqual([hex(first.clientId), hex(first.threadId)], [hex(send.clientId), hex(THREAD)]);
    assert.deepEqual([first.seq, first.duplicate, first.recipientOffline], [1n, false, true]);
    assert.deepEqual(await message.send({ ...send, attempt: 2 }), { ...first, duplicate: true });
    assert.equal((await message.send(sendOf(THREAD, "two", 1n))).seq, 2n);
  });

  it("ResolveSend: committed, unknown, never", async () => {
    const { message } = recorded().as("dan");
    const sent = sendOf("cleo", "three", 2n);
    const accepted = await message.send(sent);
    const { target, clientId, baseSeq } = sent;
    const committed = (await message.resolveSend({ target, clientId, baseSeq })).outcome;
    assert.ok(committed.case === "committed");
    assert.deepEqual([committed.value.seq, committed.value.createdAtMs], [3n, accepted.createdAtMs]);
    const lost = {
      target: { case: "threadId" as const, value: THREAD },
      clientId: randomBytes(16),
      baseSeq: 3n,
    };
    assert.equal((await message.resolveSend(lost)).outcome.case, "unknown");
    const never = (await message.resolveSend({ ...lost, seal: true })).outcome;
    assert.ok(never.case === "never");
    assert.equal(never.value.seq, 4n);
  });

  it("ListEntries: pages in both directions, with the head and whether there is more", async () => {
    const { message } = recorded().as("cleo", "connect");
    const after = await message.listEntries({
      threadId: THREAD,
      position: { case: "afterSeq", value: 1n },
      pageSize: 2,
    });
    assert.deepEqual(
      after.entries.map(({ seq }) => seq),
      [2n, 3n],
    );
    assert.deepEqual([after.hasMore, after.head?.seq, after.head?.ordinal], [true, 4n, 3n]);
    const position = { case: "beforeSeq", value: 5n } as const;
    const before = await message.listEntries({ threadId: THREAD, position });
    assert.deepEqual([before.entries.length, before.hasMore], [4, false]);
    assert.equal(before.entries.at(-1)?.body?.kind.case, "void");
    assert.deepEqual(before.entries.slice(1, 3), after.entries);
  });

  it("GetHeads: of one's own threads, in the order asked", async () => {
    const { message } = recorded().as("dan", "grpcWeb");
    const { heads } = await message.getHeads({ threadIds: [randomBytes(16), THREAD] });
    assert.deepEqual(hexes(heads.map(({ threadId }) => threadId)), [hex(THREAD)]);
    assert.deepEqual([heads[0]?.head?.seq, heads[0]?.head?.ordinal], [4n, 3n]);
  });

  it("CompareHeld: whether the log holds that entry, and the epoch under which sends go", async () => {
    const { message, thread } = recorded().as("dan", "connect");
    const { entries } = await message.listEntries({ threadId: THREAD });
    const last = entries.at(-1) ?? assert.fail();
    const { seq, ordinal, baseSeq, createdAtMs, ...name } = last;
    const numbers = { seq: 4, ordinal: 3, baseSeq: Number(baseSeq), createdAtMs: Number(createdAtMs) };
    assert.deepEqual([seq, ordinal], [4n, 3n]);
    const entryHash = createHash("sha256")
      .update(entryNameBytes(THREAD, { ...name, ...numbers }))
      .digest();
    const held = { threadId: THREAD, seq, entryHash };
    const other = { ...held, threadId: randomBytes(16) };
    const { compared, logEpoch } = await message.compareHeld({ held: [other, held] });
    assert.deepEqual(
      compared.map(({ threadId, isSame, head }) => [hex(threadId), isSame, head?.seq]),
      [
        [hex(other.threadId), false, undefined],
        [hex(THREAD), true, 4n],
      ],
    );
    assert.equal((await thread.sync({})).logEpoch, logEpoch);
    await assert.rejects(message.send({ ...sendOf("cleo", "late"), logEpoch: logEpoch - 1n }), /log_epoch/);
  });

  it("ListReceipts: how far each has got", async () => {
    const reader = await recorded().session("dan", "phone");
    const writer = await recorded().session("cleo", "phone");
    reader.say({ case: "receipt", value: { threadId: THREAD, readSeq: 3n } as never });
    await writer.next("receipt", ({ userId, readSeq }) => userId === "dan" && readSeq === 3n);
    const { receipts } = await recorded().as("cleo", "grpcWeb").message.listReceipts({ threadId: THREAD });
    const dans = receipts.find(({ userId }) => userId === "dan");
    assert.deepEqual([dans?.readSeq, dans?.deliveredSeq, dans?.readOrdinal], [3n, 3n, 3n]);
    assert.equal(hex(dans?.threadId ?? assert.fail()), hex(THREAD));
    const { heads } = await recorded()
      .as("dan")
      .message.getHeads({ threadIds: [THREAD] });
    assert.deepEqual([heads[0]?.readSeq, heads[0]?.readOrdinal], [3n, 3n]);
    reader.close();
    writer.close();
  });

  it("SetMuted: the row has the mark, and the user's sessions hear of it", async () => {
    const stream = await recorded().session("cleo", "phone");
    const { thread } = recorded().as("cleo");
    const muted = (await thread.setMuted({ threadId: THREAD, isMuted: true, requestId: randomBytes(16) }))
      .thread;
    assert.equal(muted?.isMuted, true);
    const heard = await stream.next("threadChanged", (changed) => changed.thread?.isMuted === true);
    assert.equal(hex(heard.threadId), hex(THREAD));
    const { thread: got } = await thread.getThread({ threadId: THREAD });
    // A row that tells of a change says nothing of what is unread; one that was asked for does.
    assert.deepEqual([muted?.unread, got?.unread], [undefined, 1]);
    assert.deepEqual({ ...got, unread: 0 }, { ...muted, unread: 0 });
    stream.close();
  });

  it("ListThreads and Sync: page by page, and Sync from its cursor", async () => {
    const { message, thread } = recorded().as("dan", "connect");
    await message.send(sendOf("ann", "hi"));
    const newest = await thread.listThreads({ pageSize: 1 });
    const next = await thread.listThreads({ pageSize: 1, pageToken: newest.nextPageToken });
    const listed = [newest, next].flatMap(({ threads }) => threads.map(({ participants }) => participants));
    assert.deepEqual(listed, [
      ["ann", "dan"],
      ["cleo", "dan"],
    ]);

    const first = await thread.sync({ pageSize: 1 });
    const last = await thread.sync({ pageSize: 1, pageToken: first.nextPageToken });
    assert.equal(first.cursor.length, 0);
    const synced = [first, last].flatMap(({ threads }) => threads.map(({ participants }) => participants));
    assert.deepEqual(synced.toSorted(), listed);
    const since = await thread.sync({ cursor: last.cursor });
    assert.ok(since.cursor.length > 0);
  });

  it("ListDevices and RevokeDevice: since when, and no more", async () => {
    const { gateway, thread } = recorded().as("dan", "connect");
    await gateway.openSession({ deviceId: "tablet", unansweredSessionId: randomBytes(16) });
    const { devices } = await thread.listDevices({});
    assert.deepEqual(
      devices.map(({ deviceId }) => deviceId),
      ["tablet", "phone"],
    );
    for (const { createdAtMs, lastOpenedAtMs } of devices) {
      assert.ok(createdAtMs > 0n && createdAtMs <= lastOpenedAtMs && lastOpenedAtMs <= Date.now());
    }
    await thread.revokeDevice({ deviceId: "tablet", requestId: randomBytes(16) });
    const left = (await thread.listDevices({})).devices;
    assert.deepEqual(
      left.map(({ deviceId }) => deviceId),
      ["phone"],
    );
  });

  it("SetProfile, GetProfiles: how users are called and look", async () => {
    const { profile } = recorded().as("cleo", "connect");
    const pictureUrl = "https://p.example/cleo.png";
    const request = { displayName: "Cleo", pictureUrl, requestId: randomBytes(16) };
    assert.equal((await profile.setProfile(request)).profile?.displayName, "Cleo");
    const { profiles } = await recorded()
      .as("dan", "grpcWeb")
      .profile.getProfiles({ userIds: ["cleo", "dan"] });
    assert.deepEqual(
      profiles.map((one) => [one.userId, one.displayName, one.pictureUrl]),
      [
        ["cleo", "Cleo", pictureUrl],
        ["dan", "", ""],
      ],
    );
  });
}
