import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import type { ListEntriesRequest } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import type { SyncRequest } from "../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import {
  ClientWorld,
  head,
  listEntries,
  settled,
  THREAD,
  unavailable,
  wireEntry,
  wireRow,
} from "../../internal/testing/worlds/client/client-world.ts";
import { MemoryStorage } from "../index.ts";
import type { Storage } from "../storage/storage.ts";

describe("What a client holds", () => {
  it("fills a gap by pulling exactly what is missing, and gives entries out in order, each once", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 9);
    const { stream } = world.transport;
    stream.hear({ case: "entry", value: wireEntry(1) });
    stream.hear({ case: "entry", value: wireEntry(5) }, { case: "entry", value: wireEntry(1) });
    await settled();
    assert.deepEqual(world.seqs(), [1]);
    await world.pass(30);
    const [pull] = world.transport.requests<ListEntriesRequest>("ListEntries");
    assert.deepEqual(pull?.position, { case: "afterSeq", value: 1n });
    assert.equal(pull?.pageSize, 3);
    assert.deepEqual(world.seqs().slice(0, 5), [1, 2, 3, 4, 5]);
    await world.client.close();
  });

  it("pulls up to the head that a behind names", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 300);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(300) } });
    await settled();
    await world.pass(30);
    assert.deepEqual(
      world.seqs(),
      Array.from({ length: 300 }, (_, at) => at + 1),
    );
    assert.equal(world.transport.requests("ListEntries").length, 2);
    await world.client.close();
  });

  it("puts own sends in their place without a pull, though the entry before is still on its way", async () => {
    const world = await new ClientWorld().live();
    const { stream } = world.transport;
    stream.hear({ case: "entry", value: wireEntry(1) });
    await settled();
    const send = await world.client.send({ threadId: THREAD }, "mine");
    await settled();
    const clientId = fromHex(send.item.clientId);
    const accepted = { clientId, threadId: fromHex(THREAD), seq: 3n, createdAtMs: 7n };
    stream.hear({ case: "accepted", value: accepted });
    await settled();
    assert.deepEqual(world.seqs(), [1]);
    stream.hear({ case: "entry", value: wireEntry(2) });
    await settled();
    await world.pass(1_000);
    assert.deepEqual(world.seqs(), [1, 2, 3]);
    const own = world.client.conversation(THREAD).entries.at(-1);
    assert.deepEqual([own?.ordinal, own?.createdAtMs, own?.sender], [3, 7, "ann"]);
    assert.equal(world.transport.requests("ListEntries").length, 0);
    await world.client.close();
  });

  it("pulls an own send with the gap below it", async () => {
    const world = await new ClientWorld().live();
    const send = await world.client.send({ threadId: THREAD }, "mine");
    await settled();
    const clientId = fromHex(send.item.clientId);
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 3);
    const accepted = { clientId, threadId: fromHex(THREAD), seq: 3n, createdAtMs: 7n };
    world.transport.stream.hear({ case: "accepted", value: accepted });
    await settled();
    await world.pass(30);
    assert.deepEqual(world.seqs(), [1, 2, 3]);
    await world.client.close();
  });

  it("tries a pull again until it has what is missing", async () => {
    const world = await new ClientWorld().live();
    let tries = 0;
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => {
      if (++tries < 4) throw unavailable;
      return listEntries(request, 2);
    };
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(2) } });
    await settled();
    for (let at = 0; at < 10; at++) await world.pass(1_000);
    assert.deepEqual(world.seqs(), [1, 2]);
    await world.client.close();
  });

  it("syncs from the last cursor on behind_all, every ten minutes, and in the foreground", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.Sync = (request: SyncRequest) =>
      request.pageToken.length === 0
        ? { nextPageToken: new Uint8Array([7]) }
        : { cursor: new Uint8Array([2]) };
    world.transport.stream.hear({ case: "behindAll", value: {} });
    await settled();
    const [first, second] = world.transport.requests<SyncRequest>("Sync");
    assert.deepEqual(first?.cursor, new Uint8Array([1]));
    assert.deepEqual([second?.cursor, second?.pageToken], [new Uint8Array([1]), new Uint8Array([7])]);
    await world.passAnswered(600_000);
    assert.equal(world.transport.requests("Sync").length, 4);
    assert.deepEqual(world.transport.requests<SyncRequest>("Sync")[2]?.cursor, new Uint8Array([2]));
    world.client.foreground();
    await settled();
    assert.equal(world.transport.requests("Sync").length, 6);
    await world.client.close();
  });

  it("keeps heads before the cursor, and resumes with both", async () => {
    const storage = new MemoryStorage();
    const order: string[] = [];
    const spy: Storage = {
      load: () => storage.load(),
      write: (changes) => {
        order.push(changes.map(({ key }) => key.split("/")[0]).join(" "));
        return storage.write(changes);
      },
      close: () => storage.close(),
    };
    const first = await new ClientWorld().start(spy);
    first.transport.answers.ListEntries = () => {
      throw unavailable;
    };
    const row = { threadId: fromHex(THREAD), head: head(4), thread: wireRow(4) };
    first.transport.stream.hear({ case: "threadChanged", value: row });
    first.transport.stream.welcome("ann", new Uint8Array([9]));
    await settled();
    await first.client.close();
    assert.deepEqual(order, ["thread cursor"]);
    const second = new ClientWorld();
    second.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 4);
    await second.live(storage);
    assert.deepEqual(second.transport.stream.options.cursor, new Uint8Array([9]));
    await second.pass(30);
    assert.deepEqual(second.seqs(), [1, 2, 3, 4], "what was named and never pulled is pulled now");
    await second.client.close();
  });

  it("catches up with a bounded number of entries and says what it left out", async () => {
    const world = await new ClientWorld().live();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 5_000);
    world.transport.stream.hear({ case: "behind", value: { threadId: fromHex(THREAD), head: head(5_000) } });
    await settled();
    await world.pass(30);
    assert.equal(world.seqs()[0], 4_001);
    assert.equal(world.seqs().length, 1_000);
    const behind = world.events.find((event) => event.type === "behind");
    assert.deepEqual(behind, { type: "behind", threadId: THREAD, upTo: 4_000 });
    await world.client.close();
  });

  it("takes what the user has read elsewhere for history on a new device, and counts the rest as unread", async () => {
    const world = await new ClientWorld().start();
    world.transport.answers.ListEntries = (request: ListEntriesRequest) => listEntries(request, 6);
    const row = { threadId: fromHex(THREAD), head: head(6), thread: wireRow(6, 4) };
    world.transport.stream.hear({ case: "threadChanged", value: row });
    world.transport.stream.welcome("ann");
    await settled();
    await world.pass(30);
    assert.deepEqual(world.seqs(), [5, 6]);
    const [thread] = world.client.threads();
    assert.equal(thread?.unread, 2);
    assert.equal(thread?.peer, "bob");
    await world.client.close();
  });
});
