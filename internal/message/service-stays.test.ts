import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { entryNameBytes } from "../base/history.ts";
import { sha256 } from "../base/sha256.ts";
import {
  CompareHeldRequestSchema,
  GetHeadsRequestSchema,
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  ListReceiptsRequestSchema,
  ResolveSendRequestSchema,
  SendRequestSchema,
} from "../gen/heddle/message/v1/message_service_pb.js";
import { as, groupedService } from "../testing/fakes/message/grouped-service.ts";
import { clientIdOf, textBody } from "../testing/fakes/message/message-samples.ts";
import { describeBound } from "../testing/fakes/streams/bound.ts";
import { MAX_SEALS } from "./seals.ts";
import { MessageService } from "./service.ts";

describeBound("MessageService for one who came back to a group", (bound) => {
  it("shows both stays, and nothing of what was said in between", async () => {
    const { service, threadId, send, ask } = await groupedService(bound());
    await send("ann", 1); // 2
    await ask("ann", 2, { kind: "remove", userIds: ["bob"] }); // 3
    await send("ann", 3); // 4
    await ask("ann", 4, { kind: "add", userIds: ["bob"] }); // 5
    await send("ann", 5); // 6
    const page = async (
      position: { case: "afterSeq" | "beforeSeq"; value: bigint } | { case: undefined },
    ) => {
      const request = create(ListEntriesRequestSchema, { threadId, pageSize: 200, position });
      const said = create(ListEntriesResponseSchema, await service.handlers.listEntries(request, as("bob")));
      const { entries, hasMore } = fromBinary(
        ListEntriesResponseSchema,
        toBinary(ListEntriesResponseSchema, said),
      );
      return [...entries.map(({ seq }) => Number(seq)), hasMore];
    };
    assert.deepEqual(await page({ case: undefined }), [5, 6, true]);
    assert.deepEqual(await page({ case: "beforeSeq", value: 5n }), [1, 2, 3, false]);
    assert.deepEqual(await page({ case: "afterSeq", value: 2n }), [3, true]);
    assert.deepEqual(await page({ case: "afterSeq", value: 3n }), [5, 6, false]);
  });

  it("reads no row of a member for a page that does not get to the entry by which it came last", async () => {
    const { service, threadId, threads, send, ask } = await groupedService(bound());
    await ask("ann", 2, { kind: "add", userIds: ["dee"] }); // 2
    await send("ann", 3); // 3
    await send("ann", 4); // 4
    let views = 0;
    threads.onCall = async (what) => {
      if (what === "view") views += 1;
    };
    const viewsBy = async (userId: string, pageSize: number) => {
      views = 0;
      const request = create(ListEntriesRequestSchema, { threadId, pageSize });
      await service.handlers.listEntries(request, as(userId));
      return views;
    };
    assert.equal(await viewsBy("bob", 200), 0, "bob came with the first entry");
    assert.equal(await viewsBy("dee", 2), 0);
    assert.equal(await viewsBy("dee", 3), 1);
  });

  it("has read what was there when it came back, and counts no message of an earlier stay as its own", async () => {
    const { service, ported, threadId, send, ask, ...ports } = await groupedService(bound());
    await send("ann", 1); // 2
    await send("bob", 2); // 3, above what bob has not read
    await ask("ann", 3, { kind: "remove", userIds: ["bob"] }); // 4
    await ask("ann", 4, { kind: "add", userIds: ["bob"] }); // 5
    await send("ann", 5); // 6
    await send("ann", 6); // 7
    await send("bob", 7); // 8
    const heads = create(GetHeadsRequestSchema, { threadIds: [threadId] });
    const unread = async (by: MessageService) => {
      const { heads: told } = await by.handlers.getHeads(heads, as("bob"));
      return [Number(told?.[0]?.readSeq), told?.[0]?.unread];
    };
    assert.deepEqual(await unread(new MessageService({ ...ports, bucketSize: 4 })), [5, 2], "from the log");
    assert.deepEqual(await unread(service), [5, 2], "as they were accepted");
    const receipt = { threadId, userId: "bob", deliveredSeq: 0, originSession: "" };
    const restarted = new MessageService({ ...ports, bucketSize: 4 }); // It remembers nothing of the log.
    await restarted.raiseReceipt({ ...receipt, readSeq: 6 });
    assert.deepEqual(await unread(restarted), [6, 1]);
    await ported.raiseReceipt({ ...receipt, readSeq: 7 });
    assert.deepEqual(await unread(service), [7, 0]);
  });

  it("raises no position to what was said while it was away", async () => {
    const { service, ported, threadId, send, ask } = await groupedService(bound());
    await send("ann", 1); // 2
    await ask("ann", 2, { kind: "remove", userIds: ["bob"] }); // 3
    await send("ann", 3); // 4
    await ask("ann", 4, { kind: "add", userIds: ["bob"] }); // 5
    await send("ann", 5); // 6
    const request = create(ListReceiptsRequestSchema, { threadId });
    const raise = async (seq: number) => {
      await ported.raiseReceipt({
        threadId,
        userId: "bob",
        deliveredSeq: seq,
        readSeq: seq,
        originSession: "",
      });
      await ported.flushReceipts("bob");
      const { receipts } = await service.handlers.listReceipts(request, as("ann"));
      const bobs = receipts?.find(({ userId }) => userId === "bob");
      return bobs && [Number(bobs.deliveredSeq), Number(bobs.readSeq)];
    };
    for (const seq of [2, 4, 5]) assert.equal(await raise(seq), undefined, `${seq}`);
    assert.deepEqual(await raise(6), [6, 6]);
  });

  it("compares what it holds of an earlier stay, with a head of now", async () => {
    const { service, threadId, send, ask } = await groupedService(bound());
    const { createdAtMs } = await send("ann", 1); // 2
    await ask("ann", 2, { kind: "remove", userIds: ["bob"] }); // 3
    await send("ann", 3); // 4
    await ask("ann", 4, { kind: "add", userIds: ["bob"] }); // 5
    const name = { seq: 2, sender: "ann", clientId: clientIdOf(1), baseSeq: 0, ordinal: 1 };
    const bytes = entryNameBytes(threadId, { ...name, createdAtMs: Number(createdAtMs) });
    const held = [{ threadId, seq: 2n, entryHash: sha256(bytes, 32) }];
    const compare = create(CompareHeldRequestSchema, { held });
    const { compared } = await service.handlers.compareHeld(compare, as("bob"));
    assert.deepEqual(compared, [{ threadId, isSame: true, head: { seq: 5n, ordinal: 2n } }]);
  });

  it("cannot send what it sealed while it was away, wherever that seal stands", async () => {
    const { service, threadId, send, ask, ...ports } = await groupedService(bound());
    await send("ann", 1); // 2
    await ask("ann", 2, { kind: "remove", userIds: ["bob"] }); // 3
    const target = { case: "threadId", value: threadId } as const;
    const lost = { target, clientId: clientIdOf(9), baseSeq: 2n };
    const resolve = () =>
      service.handlers.resolveSend(create(ResolveSendRequestSchema, { ...lost, seal: true }), as("bob"));
    assert.deepEqual((await resolve()).outcome, { case: "never", value: {} }); // 4, which bob does not see
    await ask("ann", 4, { kind: "add", userIds: ["bob"] }); // 5
    const again = create(SendRequestSchema, { ...lost, attempt: 2, body: textBody("lost") });
    const restarted = new MessageService({ ...ports, bucketSize: 4 }); // It remembers nothing of the log.
    for (const server of [service, restarted]) {
      await assert.rejects(server.handlers.send(again, as("bob")), reason(ErrorReason.SEALED));
    }
    assert.deepEqual((await resolve()).outcome, { case: "never", value: { seq: 4n } });
  });

  it("seals freely while it is a member, and what it sealed away is counted over all its absences", async () => {
    const { service, threadId, ask } = await groupedService(bound());
    const target = { case: "threadId", value: threadId } as const;
    const seal = (n: number) => {
      const request = { target, clientId: clientIdOf(n), baseSeq: 0n, seal: true };
      return service.handlers.resolveSend(create(ResolveSendRequestSchema, request), as("bob"));
    };
    await ask("ann", 1, { kind: "remove", userIds: ["bob"] });
    for (let n = 0; n < MAX_SEALS; n++) await seal(100 + n);
    await assert.rejects(seal(200), reason(ErrorReason.TOO_MANY_SEALS));
    await ask("ann", 2, { kind: "add", userIds: ["bob"] });
    assert.equal((await seal(200)).outcome?.case, "never");
    await ask("ann", 3, { kind: "remove", userIds: ["bob"] });
    await assert.rejects(seal(201), reason(ErrorReason.TOO_MANY_SEALS));
  });
});

function reason(expected: ErrorReason) {
  return (error: unknown) => error instanceof HeddleError && error.reason === expected;
}
