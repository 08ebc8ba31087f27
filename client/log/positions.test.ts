import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import type { ListEntriesRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import {
  ClientWorld,
  head,
  listEntries,
  settled,
  THREAD,
  wireEntry,
  wireRow,
} from "../../internal/testing/worlds/client/client-world.ts";
import { MemoryStorage } from "../index.ts";

describe("A client's read positions", () => {
  it("count what is unread right where a row tells one above the own, with own messages below and above it", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    const first = { threadId: fromHex(THREAD), head: head(0), thread: wireRow(0) };
    stream.hear({ case: "threadChanged", value: first });
    for (const seq of [1, 2, 3, 4]) {
      stream.hear({ case: "entry", value: wireEntry(seq, { sender: seq % 2 === 0 ? "ann" : "bob" }) });
    }
    await settled();
    assert.deepEqual([world.client.threads()[0]?.readSeq, world.client.threads()[0]?.unread], [0, 2]);
    const row = { threadId: fromHex(THREAD), head: head(4), thread: { ...wireRow(4, 3), unread: 0 } };
    stream.hear({ case: "threadChanged", value: row });
    await settled();
    assert.deepEqual([world.client.threads()[0]?.readSeq, world.client.threads()[0]?.unread], [3, 0]);
    await world.client.close();
  });

  it("are repeated at every open until a thread row has confirmed them", async () => {
    const storage = new MemoryStorage();
    const world = await new ClientWorld().live(storage);
    const { stream } = world.transport;
    const row = { threadId: fromHex(THREAD), head: head(1), thread: wireRow(1) };
    stream.hear({ case: "entry", value: wireEntry(1) }, { case: "threadChanged", value: row });
    await settled();
    world.client.markRead(THREAD, 1);
    assert.equal(world.client.threads()[0]?.unread, 0);
    await world.pass(200);
    assert.deepEqual(
      stream.frames("receipt").map(({ readSeq }) => readSeq),
      [1n],
    );
    await world.client.close();
    const again = await new ClientWorld().live(storage);
    await again.pass(200);
    assert.deepEqual(
      again.transport.stream.frames("receipt").map(({ readSeq }) => readSeq),
      [1n],
    );
    again.transport.stream.hear({ case: "threadChanged", value: { ...row, thread: wireRow(1, 1) } });
    await settled();
    await again.client.close();
    const third = await new ClientWorld().live(storage);
    await third.pass(200);
    assert.deepEqual(
      third.transport.stream.frames("receipt").map(({ readSeq }) => readSeq),
      [],
    );
    await third.client.close();
  });

  it("are repeated after a sync that does not confirm them, those that came with a send too", async () => {
    const told: readonly (readonly [rows: object[], said: bigint[]])[] = [
      [[], [1n]],
      [[wireRow(2)], [2n]],
      [[wireRow(2, 2)], []],
    ];
    for (const [threads, said] of told) {
      const world = await new ClientWorld().live();
      const { stream, answers } = world.transport;
      const row = { threadId: fromHex(THREAD), head: head(1), thread: wireRow(1) };
      stream.hear({ case: "entry", value: wireEntry(1) }, { case: "threadChanged", value: row });
      await settled();
      const { item } = await world.client.send({ threadId: THREAD }, "hi");
      await settled();
      const [threadId, clientId] = [fromHex(THREAD), fromHex(item.clientId)];
      stream.hear({ case: "accepted", value: { threadId, clientId, seq: 2n } });
      await world.pass(1_000);
      assert.deepEqual(stream.frames("receipt"), [], "the server knows");
      answers.Sync = () => ({ threads, cursor: new Uint8Array([2]) });
      world.client.foreground();
      await settled();
      await world.pass(200);
      assert.deepEqual(
        stream.frames("receipt").map(({ readSeq }) => readSeq),
        said,
        "it may have died before it wrote that",
      );
      await world.client.close();
    }
  });

  it("are said up to where the device held the thread when the entry of a send comes before its answer", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    stream.hear({ case: "entry", value: wireEntry(1) }, { case: "entry", value: wireEntry(2) });
    await settled();
    const { item } = await world.client.send({ threadId: THREAD }, "hi");
    const own = wireEntry(4, { sender: "ann", clientId: fromHex(item.clientId) });
    stream.hear({ case: "entry", value: wireEntry(3) }, { case: "entry", value: own });
    await settled();
    await world.pass(200);
    assert.deepEqual(
      stream.frames("receipt").map(({ readSeq }) => readSeq),
      [2n],
    );
    await world.client.close();
  });

  it("of another only grow, also in what an event says of them", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    stream.hear({ case: "entry", value: wireEntry(1) });
    const of = { threadId: fromHex(THREAD), userId: "bob" };
    stream.hear({ case: "receipt", value: { ...of, deliveredSeq: 5n, readSeq: 0n } });
    // Bob hides: of what he has, only what he has read is told.
    stream.hear({ case: "receipt", value: { ...of, deliveredSeq: 3n, readSeq: 3n } });
    await settled();
    const told = world.events.flatMap((event) =>
      event.type === "receipt" ? [[event.receipt.deliveredSeq, event.receipt.readSeq]] : [],
    );
    const expected = [
      [5, 0],
      [5, 3],
    ];
    assert.deepEqual(told, expected);
    await world.client.close();
  });

  it("say that pulled entries are delivered, which no ack covers", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 3);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(3) } });
    await settled();
    await world.pass(30);
    await world.pass(200);
    const receipts = world.transport.stream.frames("receipt");
    assert.deepEqual(
      receipts.map(({ deliveredSeq }) => deliveredSeq),
      [3n],
    );
    await world.client.close();
  });
});
