import assert from "node:assert/strict";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import type { Accepted } from "../base/send.ts";
import {
  GetHeadsRequestSchema,
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  ListReceiptsRequestSchema,
  ResolveSendRequestSchema,
  SendRequestSchema,
} from "../gen/heddle/message/v1/message_service_pb.js";
import { HookedStore, KeptChannel, MemoryThreads } from "../testing/fakes/message/message-ports.ts";
import { clientIdOf, sendOf, storeLog, textBody, until } from "../testing/fakes/message/message-samples.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { RECEIPTS_BUCKET } from "./ports.ts";
import { MessageService } from "./service.ts";

const ann = { caller: { userId: "ann" } };
const bob = { caller: { userId: "bob" } };
const cay = { caller: { userId: "cay" } };

describeBound("MessageService", (bound) => {
  /** `service` as its clients have it, `ported` as push and thread servers do. */
  async function world() {
    const [store, threads, channel] = [new HookedStore(), new MemoryThreads(), new KeptChannel()];
    const clock = new FakeClock();
    const { groups, blocks, memory: largeGroups } = threads;
    const ports = { store, threads, groups, blocks, largeGroups, channel, clock };
    const service = new MessageService({ ...ports, bucketSize: 4 });
    const ported = await bound().message(service);
    return { store, threads, channel, clock, service, ported, threadId: threads.add("ann", "bob") };
  }

  it("Send says what was stored, and says it again to a repeat", async () => {
    const { service, threadId, clock } = await world();
    const response = await service.handlers.send(sendRequest(), ann);
    assert.deepEqual(response, {
      threadId,
      clientId: clientIdOf(1),
      seq: 1n,
      createdAtMs: BigInt(clock.nowMs()),
      duplicate: false,
      recipientOffline: true,
    });
    clock.advance(1_000);
    const again = await service.handlers.send(sendRequest({ attempt: 2 }), ann);
    assert.deepEqual(again, { ...response, duplicate: true });
  });

  it("Send to a user makes the thread", async () => {
    const { service, threads } = await world();
    const target = { case: "toUserId", value: "cay" } as const;
    const { threadId, seq } = await service.handlers.send(sendRequest({ target }), ann);
    assert.equal(seq, 1n);
    assert.ok(threadId && threads.has(threadId));
  });

  it("Send refuses by rejecting, with the reason and its certainty", async () => {
    const { service, threadId } = await world();
    const target = { case: "threadId", value: threadId } as const;
    await assert.rejects(service.handlers.send(sendRequest({ target }), cay), (error) => {
      assert.ok(error instanceof HeddleError);
      assert.deepEqual([error.reason, error.committedNever], [ErrorReason.THREAD_NOT_FOUND, true]);
      return true;
    });
    await assert.rejects(service.handlers.send(create(SendRequestSchema, {}), ann), invalid("body"));
    const untargeted = create(SendRequestSchema, { body: textBody("hi") });
    await assert.rejects(service.handlers.send(untargeted, ann), invalid("target"));
  });

  it("ListEntries reads a page with the head, for members", async () => {
    const { service, store, threadId } = await world();
    await storeLog(store.inner, threadId, 4, 9);
    const request = create(ListEntriesRequestSchema, {
      threadId,
      position: { case: "beforeSeq", value: 8n },
      pageSize: 3,
    });
    const said = create(ListEntriesResponseSchema, await service.handlers.listEntries(request, bob));
    const page = fromBinary(ListEntriesResponseSchema, toBinary(ListEntriesResponseSchema, said));
    assert.deepEqual(
      page.entries.map(({ seq }) => seq),
      [5n, 6n, 7n],
    );
    assert.deepEqual([page.head?.seq, page.head?.ordinal], [9n, 9n]);
    assert.equal(page.hasMore, true);
    await assert.rejects(service.handlers.listEntries(request, cay), notFound);
  });

  it("ResolveSend says unknown, committed, and never", async () => {
    const { service } = await world();
    const resolve = (n: number, seal: boolean) => {
      const target = { case: "toUserId", value: "bob" } as const;
      const request = create(ResolveSendRequestSchema, { target, clientId: clientIdOf(n), seal });
      return service.handlers.resolveSend(request, ann);
    };
    assert.deepEqual(await resolve(1, false), { outcome: { case: "unknown", value: {} } });
    const { seq, createdAtMs } = await service.handlers.send(sendRequest(), ann);
    const committed = { outcome: { case: "committed", value: { seq, createdAtMs } } };
    assert.deepEqual(await resolve(1, false), committed);
    assert.deepEqual(await resolve(1, true), committed);
    assert.deepEqual(await resolve(2, true), { outcome: { case: "never", value: { seq: 2n } } });
    assert.deepEqual(await resolve(2, false), { outcome: { case: "never", value: { seq: 2n } } });
  });

  it("GetHeads reads the heads of the caller's threads, in the order asked, and leaves out the rest", async () => {
    const { service, store, threads, threadId } = await world();
    await storeLog(store.inner, threadId, 4, 9);
    const [empty, foreign] = [threads.add("ann", "cay"), threads.add("cay", "dan")];
    const request = create(GetHeadsRequestSchema, { threadIds: [empty, foreign, threadId] });
    assert.deepEqual(await service.handlers.getHeads(request, ann), {
      heads: [
        { threadId: empty, head: { seq: 0n, ordinal: 0n }, ...{ readSeq: 0n, readOrdinal: 0n, unread: 0 } },
        { threadId, head: { seq: 9n, ordinal: 9n }, ...{ readSeq: 0n, readOrdinal: 0n, unread: 0 } },
      ],
    });
    const bobs = await service.handlers.getHeads(request, { caller: { userId: "bob" } });
    assert.deepEqual(
      bobs.heads?.map(({ unread }) => unread),
      [9],
      "ann wrote all of them",
    );
  });

  it("GetHeads fails where the thread service does", async () => {
    const { service, threads, threadId } = await world();
    threads.onCall = () => Promise.reject(new Error("away"));
    const request = create(GetHeadsRequestSchema, { threadIds: [threadId] });
    await assert.rejects(service.handlers.getHeads(request, ann), /away/);
  });

  it("ListReceipts has what members raised, the sender's own message included", async () => {
    const { service, ported, threadId } = await world();
    await service.handlers.send(sendRequest(), ann);
    await quiet();
    const raised = { threadId, deliveredSeq: 1, readSeq: 0, originSession: "" };
    await ported.raiseReceipt({ ...raised, userId: "bob" });
    await ported.flushReceipts("bob");
    const request = create(ListReceiptsRequestSchema, { threadId });
    assert.deepEqual(await service.handlers.listReceipts(request, bob), {
      receipts: [
        { threadId, userId: "ann", deliveredSeq: 1n, readSeq: 1n, readOrdinal: 1n },
        { threadId, userId: "bob", deliveredSeq: 1n, readSeq: 0n, readOrdinal: 0n },
      ],
    });
    await assert.rejects(service.handlers.listReceipts(request, cay), notFound);
    await assert.rejects(ported.raiseReceipt({ ...raised, userId: "cay" }), notFound);
  });

  it("gives push servers the answer to each send, once", async () => {
    const { ported, threadId } = await world();
    const outcomes: (Accepted | HeddleError)[] = [];
    const sends = [
      sendOf({ threadId }),
      sendOf({ threadId, clientId: clientIdOf(2), originSession: "5e55" }),
    ];
    for (const send of sends) ported.send(send, (outcome) => outcomes.push(outcome));
    await until(() => outcomes.length >= sends.length);
    await quiet();
    assert.deepEqual(
      outcomes.map((outcome) => outcome instanceof HeddleError || outcome.seq),
      [1, 2],
    );
  });

  it("gives the thread service heads from the store, by id, whatever the hints", async () => {
    const { ported, store, threads, threadId } = await world();
    await storeLog(store.inner, threadId, 4, 9);
    const empty = threads.add("ann", "cay");
    const heads = await ported.heads([
      { threadId, headBucket: 7 },
      { threadId: empty, headBucket: 0 },
    ]);
    assert.equal(heads.get(hex(threadId))?.seq, 9);
    assert.equal(heads.get(hex(empty))?.seq, 0);
  });

  it("tells the thread service when entries were made, of those that are there", async () => {
    const { service, ported, store, threads, threadId } = await world();
    const accepted = await service.handlers.send(sendRequest(), ann);
    const damaged = threads.add("ann", "cay");
    await storeLog(store.inner, damaged, 4, 2);
    const times = await ported.entryTimes([
      { threadId, seq: 1 },
      { threadId: damaged, seq: 3 },
      { threadId: threads.add("ann", "dee"), seq: 0 },
    ]);
    assert.deepEqual([...times], [[hex(threadId), Number(accepted.createdAtMs)]]);
  });

  it("writes what waits when sessions end and when it closes", async () => {
    const { service, ported, store, threads, threadId } = await world();
    await service.handlers.send(sendRequest(), ann);
    await ported.raiseReceipt({ userId: "bob", threadId, deliveredSeq: 0, readSeq: 1, originSession: "" });
    await ported.flushReceipts("bob");
    assert.deepEqual(
      threads.raised.map(({ ownerId, readSeq, readOrdinal }) => [ownerId, readSeq, readOrdinal]),
      [["bob", 1, 1]],
    );
    await service.close();
    const { cells } = await store.inner.get({ threadId, bucket: RECEIPTS_BUCKET }, { family: "r" });
    assert.equal(cells.length, 6);
    assert.deepEqual(
      threads.raised.map(({ ownerId }) => ownerId),
      ["bob", "ann"],
    );
  });
});

function sendRequest(other: MessageInitShape<typeof SendRequestSchema> = {}) {
  return create(SendRequestSchema, {
    target: { case: "toUserId", value: "bob" },
    clientId: clientIdOf(1),
    attempt: 1,
    body: textBody("hi"),
    ...other,
  });
}

function notFound(error: unknown): boolean {
  return error instanceof HeddleError && error.reason === ErrorReason.THREAD_NOT_FOUND;
}

function invalid(field: string) {
  return (error: unknown) => error instanceof HeddleError && error.metadata.field === field;
}
