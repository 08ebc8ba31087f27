import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { Publication } from "../base/publication.ts";
import {
  GetHeadsRequestSchema,
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  ListReceiptsRequestSchema,
  ResolveSendRequestSchema,
  SendRequestSchema,
} from "../gen/heddle/message/v1/message_service_pb.js";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { as, groupedService } from "../testing/fakes/message/grouped-service.ts";
import { clientIdOf, textBody } from "../testing/fakes/message/message-samples.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { MessageService } from "./service.ts";

describeBound("MessageService in a group", (bound) => {
  it("shows each user what it may see: history, head, receipts", async () => {
    const { service, ported, threadId, send, ask } = await groupedService(bound());
    await send("ann", 1); // 2
    await ask("ann", 2, { kind: "add", userIds: ["dee"] }); // 3
    await send("ann", 3); // 4
    await ask("dee", 4, { kind: "leave" }); // 5
    await send("ann", 5); // 6
    const entries = create(ListEntriesRequestSchema, { threadId, pageSize: 200 });
    const page = async (userId: string) => {
      const said = create(ListEntriesResponseSchema, await service.handlers.listEntries(entries, as(userId)));
      const bytes = toBinary(ListEntriesResponseSchema, said); // Entries are encoded already.
      const { entries: shown, head, hasMore } = fromBinary(ListEntriesResponseSchema, bytes);
      return { seqs: shown.map(({ seq }) => Number(seq)), head: Number(head?.seq), hasMore };
    };
    assert.deepEqual(await page("bob"), { seqs: [1, 2, 3, 4, 5, 6], head: 6, hasMore: false });
    assert.deepEqual(await page("dee"), { seqs: [3, 4, 5], head: 5, hasMore: false });
    await assert.rejects(page("zed"), reason(ErrorReason.THREAD_NOT_FOUND));
    const heads = create(GetHeadsRequestSchema, { threadIds: [threadId] });
    assert.deepEqual(await service.handlers.getHeads(heads, as("dee")), {
      heads: [{ threadId, head: { seq: 5n, ordinal: 2n }, readSeq: 3n, readOrdinal: 1n, unread: 1 }],
    });
    assert.deepEqual(await service.handlers.getHeads(heads, as("zed")), { heads: [] });
    const receipts = create(ListReceiptsRequestSchema, { threadId });
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 6, readSeq: 6, originSession: "" });
    await ported.flushReceipts("bob");
    const { receipts: shown } = await service.handlers.listReceipts(receipts, as("dee"));
    assert.equal(
      shown?.find(({ userId }) => userId === "bob"),
      undefined,
      "what bob does now is not dee's",
    );
  });

  it("tells one who has left nobody's positions: they would say who was there since", async () => {
    const { service, ported, threadId, ask } = await groupedService(bound());
    await ask("bob", 1, { kind: "leave" }); // 2
    await ask("ann", 2, { kind: "add", userIds: ["dee"] }); // 3
    for (const userId of ["cid", "dee"]) {
      await ported.raiseReceipt({ threadId, userId, deliveredSeq: 3, readSeq: 3, originSession: "" });
    }
    const { seq } = await ask("ann", 3, { kind: "rename", name: "warp" }); // 4
    for (const userId of ["cid", "dee"]) {
      await ported.raiseReceipt({ threadId, userId, deliveredSeq: seq, readSeq: seq, originSession: "" });
      await ported.flushReceipts(userId);
    }
    const users = async (viewer: string) =>
      (await listed(service, threadId, viewer))?.map(([userId]) => userId).sort();
    assert.deepEqual(await users("ann"), ["cid", "dee"]);
    assert.deepEqual(await users("bob"), []);
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 2, readSeq: 2, originSession: "" });
    await ported.flushReceipts("bob");
    assert.deepEqual(await users("bob"), ["bob"]);
  });

  it("tells one who has left nothing of the head by what it refuses", async () => {
    const { service, threadId, send, ask } = await groupedService(bound());
    await ask("bob", 1, { kind: "leave" }); // 2
    for (let n = 2; n < 20; n++) await send("ann", n); // 3 to 20, in more rows than are searched inline
    const target = { case: "threadId", value: threadId } as const;
    const post = (baseSeq: bigint) => {
      const request = { target, clientId: clientIdOf(99), attempt: 1, body: textBody("hi"), baseSeq };
      return service.handlers.send(create(SendRequestSchema, request), as("bob"));
    };
    const resolve = (baseSeq: bigint) => {
      const request = { target, clientId: clientIdOf(99), baseSeq };
      return service.handlers.resolveSend(create(ResolveSendRequestSchema, request), as("bob"));
    };
    for (const baseSeq of [2n, 19n, 20n, 21n, 1_000n]) {
      await assert.rejects(post(baseSeq), (error) => !saysSeq(error, 20));
    }
    for (const baseSeq of [3n, 20n, 21n]) {
      await assert.rejects(resolve(baseSeq), (error) => {
        return reason(ErrorReason.BASE_BEYOND_HEAD)(error) && !saysSeq(error, 20);
      });
    }
  });

  it("says nothing of who is online to a sender", async () => {
    const { send } = await groupedService(bound());
    assert.equal("recipientOffline" in (await send("ann", 1)), false);
  });

  it("publishes typing and receipts to its topic, with its mark", async () => {
    const { ported, threadId, send, told, pass } = await groupedService(bound());
    const receipt = { threadId, userId: "cid", deliveredSeq: 0, originSession: "" };
    // A newcomer has read its joining entry: nothing is new about it.
    await ported.raiseReceipt({ ...receipt, readSeq: 9 });
    await pass();
    assert.deepEqual(told(), []);
    await send("ann", 1);
    await pass();
    told().length = 0;
    await ported.typing({ threadId, userId: "bob", originSession: "aa" });
    await ported.raiseReceipt({ ...receipt, readSeq: 9 });
    await pass();
    const topics = [`thread/${hex(threadId)}`];
    assert.deepEqual(summary(told()), [
      ["typing", topics, 1],
      ["receipt", topics, 1],
    ]);
  });

  it("raises positions only as far as a user may see, and tells of one who has left nobody else", async () => {
    const { ported, threadId, send, ask, told, pass } = await groupedService(bound());
    await send("ann", 1); // 2
    await ask("bob", 2, { kind: "leave" }); // 3
    await send("ann", 3); // 4
    await pass();
    told().length = 0;
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 0, readSeq: 99, originSession: "" });
    await ported.raiseReceipt({ threadId, userId: "cid", deliveredSeq: 0, readSeq: 99, originSession: "" });
    await pass();
    const receipts = told().filter(({ kind }) => kind === "receipt");
    assert.deepEqual(summary(receipts), [
      ["receipt", ["user/bob"], 3],
      ["receipt", [`thread/${hex(threadId)}`], 3],
    ]);
    const seqs = receipts
      .flatMap(({ frame }) => fromBinary(ServerFrameSchema, frame).events)
      .map(({ kind }) => kind.case === "receipt" && kind.value.readSeq);
    assert.deepEqual(seqs, [3n, 4n]);
  });

  it("moves a newcomer's read position with its own message right after it joined", async () => {
    const { ported, threadId, send, threads } = await groupedService(bound());
    await send("bob", 1); // 2, right after the joining entry
    await quiet();
    await ported.flushReceipts("bob");
    assert.deepEqual(
      threads.raised.map(({ ownerId, readSeq, readOrdinal }) => [ownerId, readSeq, readOrdinal]),
      [["bob", 2, 1]],
    );
    assert.ok(threadId);
  });

  it("that is large has no typing and no delivered receipts; what was read goes to the reader alone", async () => {
    const { ported, threadId, send, ask, told, pass } = await groupedService(bound());
    await ask("ann", 1, { kind: "add", userIds: Array.from({ length: 254 }, (_, at) => `u${at}`) });
    await send("ann", 2); // 3
    await pass();
    told().length = 0;
    await ported.typing({ threadId, userId: "bob", originSession: "" });
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 3, readSeq: 0, originSession: "" });
    await pass();
    assert.deepEqual(told(), []);
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 3, readSeq: 2, originSession: "" });
    await pass();
    assert.deepEqual(summary(told()), [["receipt", ["user/bob"], 2]]);
  });

  it("answers push servers and the thread service", async () => {
    const { ported, threadId, ask } = await groupedService(bound());
    assert.deepEqual(await ask("ann", 1, { kind: "remove", userIds: ["bob"] }), { seq: 2, removed: ["bob"] });
    const { joined, membersSeq } = await ported.membership(threadId, ["ann", "bob"]);
    assert.deepEqual([[...joined.keys()], membersSeq], [["ann"], 2]);
  });
});

describeBound("MessageService between two users where one has blocked the other", (bound) => {
  it("shows neither the other's typing nor its receipts, told or listed", async () => {
    const { service, ported, threads, told, pass } = await groupedService(bound());
    const threadId = threads.add("ann", "bob");
    const target = { case: "threadId", value: threadId } as const;
    const request = create(SendRequestSchema, {
      target,
      clientId: clientIdOf(1),
      attempt: 1,
      body: textBody("hi"),
    });
    await service.handlers.send(request, as("ann"));
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 1, readSeq: 0, originSession: "" });
    await pass();
    threads.memory.setBlock("bob", "ann", true);
    await ported.raiseEpoch(threadId);
    told().length = 0;
    await ported.typing({ threadId, userId: "bob", originSession: "" });
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 1, readSeq: 1, originSession: "" });
    await pass();
    assert.deepEqual(summary(told()), [["receipt", ["user/bob"], undefined]]);
    assert.deepEqual(await listed(service, threadId, "ann"), [["ann", 1n, 1n]]);
    assert.deepEqual(await listed(service, threadId, "bob"), [["bob", 1n, 1n]]);
    threads.memory.setBlock("bob", "ann", false);
    await ported.raiseEpoch(threadId);
    assert.equal((await listed(service, threadId, "ann"))?.length, 2, "and both once it is over");
    threads.memory.setBlock("bob", "ann", true);
    await ported.raiseEpoch(threadId);
    const again = await service.handlers.send({ ...request, attempt: 2 }, as("ann"));
    assert.deepEqual([again.duplicate, "recipientOffline" in again], [true, false]);
    await assert.rejects(
      service.handlers.send({ ...request, clientId: clientIdOf(2) }, as("ann")),
      reason(ErrorReason.BLOCKED),
    );
  });

  it("does so after a restart too, when it has no view of the thread at hand", async () => {
    const { ported, threads, told, pass } = await groupedService(bound());
    const threadId = threads.add("ann", "bob");
    threads.memory.setBlock("ann", "bob", true);
    told().length = 0;
    await ported.typing({ threadId, userId: "bob", originSession: "" });
    await pass();
    assert.deepEqual(told(), []);
  });

  it("is taken for granted in lists, after a restart, while blocks cannot be read", async () => {
    const { service, ported, pass, ...ports } = await groupedService(bound());
    const { threads, blocks } = ports;
    const threadId = threads.add("ann", "bob");
    const target = { case: "threadId", value: threadId } as const;
    await service.handlers.send(
      create(SendRequestSchema, { target, clientId: clientIdOf(1), attempt: 1, body: textBody("hi") }),
      as("ann"),
    );
    await ported.raiseReceipt({ threadId, userId: "bob", deliveredSeq: 1, readSeq: 1, originSession: "" });
    await pass();
    const restarted = new MessageService({ ...ports, bucketSize: 4 });
    const { between } = blocks;
    blocks.between = () => Promise.reject(new Error("the database is away"));
    assert.deepEqual(await listed(restarted, threadId, "ann"), [["ann", 1n, 1n]]);
    blocks.between = between;
    assert.equal((await listed(restarted, threadId, "ann"))?.length, 2, "and both once they can");
  });
});

/** What ListReceipts shows the user: whose, delivered, read. */
async function listed(service: MessageService, threadId: Uint8Array, viewerId: string) {
  const request = create(ListReceiptsRequestSchema, { threadId });
  const { receipts } = await service.handlers.listReceipts(request, as(viewerId));
  return receipts?.map(({ userId, deliveredSeq, readSeq }) => [userId, deliveredSeq, readSeq]);
}

function summary(publications: readonly Publication[]) {
  return publications.map(({ kind, topics, group }) => [kind, topics, group?.membersSeq]);
}

function saysSeq(error: unknown, seq: number): boolean {
  assert.ok(error instanceof HeddleError);
  return error.metadata.head_seq === String(seq);
}

function reason(expected: ErrorReason) {
  return (error: unknown) => error instanceof HeddleError && error.reason === expected;
}
