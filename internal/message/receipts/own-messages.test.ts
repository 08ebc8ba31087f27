import assert from "node:assert/strict";
import { clientIdOf } from "../../testing/fakes/message/message-samples.ts";
import { receiptsOf } from "../../testing/fakes/message/receipt-parts.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";

describe("A message that is accepted after later ones of its sender's", () => {
  it("is read where the position stood below it, and those above it still count", async () => {
    const world = await receiptsOf(0);
    const stored = await world.parts.append(world.log, { userId: "ann", clientId: clientIdOf(1) });
    assert.ok("seq" in stored && stored.seq === 1);
    await world.post("bob", 2);
    await world.post("ann", 3);
    assert.deepEqual(await world.unread("ann"), { readSeq: 0, readOrdinal: 0, unread: 1 });
    world.receipts.ownMessage(world.log, { userId: "ann", baseSeq: 0, originSession: "" }, stored);
    await quiet();
    const unread = { readSeq: 1, readOrdinal: 1, unread: 1 };
    assert.deepEqual(await world.unread("ann"), unread, "bob's second, not ann's third");
    await world.pass(1_000);
    assert.deepEqual(await world.restart().unread("ann", { isExact: false }), unread, "as it is kept");
    await world.raise("ann", { readSeq: 2 });
    assert.deepEqual(await world.unread("ann"), { readSeq: 2, readOrdinal: 2, unread: 0 });
  });
});

describe("Counts of own messages", () => {
  it("are right after a server that died while it wrote one of two at a time", async () => {
    const world = await receiptsOf(0);
    const { store } = world.parts;
    store.onPut = () => new Promise(() => {}); // It dies before this arrives.
    await world.post("ann", 1);
    await world.pass(1_000);
    store.onPut = undefined;
    await world.post("bob", 2);
    await world.pass(1_100);
    const restarted = world.restart();
    assert.deepEqual(await restarted.unread("ann"), { readSeq: 0, readOrdinal: 0, unread: 1 });
    assert.deepEqual(await restarted.unread("bob"), { readSeq: 0, readOrdinal: 0, unread: 1 });
  });
});
