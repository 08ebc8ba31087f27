import assert from "node:assert/strict";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { receiptsOf } from "../../testing/fakes/message/receipt-parts.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";

describe("What is told of positions", () => {
  it("is durable: a list shows only what is written, and a server that dies takes nothing back", async () => {
    const world = await receiptsOf(30);
    await world.raise("bob", { readSeq: 13 });
    await world.pass(50);
    world.parts.store.onPut = () => new Promise(() => {});
    await world.raise("bob", { readSeq: 21 });
    await world.pass(1_000);
    assert.equal((await world.list()).get("bob")?.readSeq, 13);
    assert.equal((await world.list("bob")).get("bob")?.readSeq, 13);
    assert.equal((await world.restart().list()).get("bob")?.readSeq, 13);
  });

  it("is durable: what is raised while an earlier position is written is told with the next", async () => {
    const world = await receiptsOf(30);
    const written = Promise.withResolvers<void>();
    world.parts.store.onPut = async (apply) => {
      await apply();
      await written.promise;
    };
    await world.raise("bob", { readSeq: 13 });
    await world.pass(50);
    await world.raise("bob", { readSeq: 21 });
    written.resolve();
    await quiet();
    assert.deepEqual(
      world.told().map(({ readSeq }) => readSeq),
      [13n],
    );
    await world.pass(1_100);
    assert.deepEqual(
      world.told().map(({ readSeq }) => readSeq),
      [13n, 21n],
    );
  });

  it("is durable: no thread row has a read position that the log's store does not have", async () => {
    const world = await receiptsOf(30);
    world.parts.store.onPut = () => Promise.reject(storeUnavailable("message"));
    await world.raise("bob", { readSeq: 13 });
    await world.receipts.flushUser("bob");
    await world.raise("bob", { readSeq: 12 });
    await world.receipts.flushUser("bob");
    assert.deepEqual(world.rows(), []);
    world.parts.store.onPut = undefined;
    await world.pass(1_100);
    await world.receipts.flushUser("bob");
    assert.deepEqual(world.rows(), ["bob 13"]);
    assert.equal((await world.stored("bob"))?.readSeq, 13);
  });
});

describe("Thread rows", () => {
  it("get a copy of read positions when the user's session ends", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 4 });
    await world.raise("ann", { readSeq: 3 });
    await world.receipts.flushUser("bob");
    assert.deepEqual(world.rows(), ["bob 4"]);
  });

  it("get it again where a client repeats a position: the row may not have it", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 4 });
    await world.pass(1_000);
    const restarted = world.restart();
    await restarted.raise("bob", { readSeq: 3 });
    await restarted.receipts.flushUser("bob");
    assert.deepEqual(world.rows(), ["bob 4"]);
  });

  it("are left alone by what is merely delivered", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { deliveredSeq: 4 });
    await world.receipts.flushUser("bob");
    assert.deepEqual(world.rows(), []);
  });
});

describe("Positions of one who hides", () => {
  it("are told without what was delivered, and not at all if that is all there is to tell", async () => {
    const world = await receiptsOf(9);
    world.visibilities.hide("bob");
    await world.raise("bob", { deliveredSeq: 4 });
    await world.pass(1_100);
    assert.deepEqual(world.told(), []);
    assert.equal(
      (await world.list("ann")).has("bob"),
      false,
      "a row would say that a device came to be there",
    );
    assert.equal((await world.list("bob")).get("bob")?.deliveredSeq, 4);
    await world.raise("bob", { deliveredSeq: 7, readSeq: 5 });
    await world.pass(1_100);
    assert.deepEqual(
      world.told().map(({ deliveredSeq, readSeq }) => [deliveredSeq, readSeq]),
      [[5n, 5n]],
    );
    assert.deepEqual((await world.list("ann")).get("bob"), { deliveredSeq: 5, readSeq: 5, readOrdinal: 5 });
  });

  it("are withheld even if they hid after it was said, and where it cannot be read who hides", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { deliveredSeq: 4 });
    await world.pass(1_100);
    assert.equal(world.told().length, 1);
    await world.raise("bob", { deliveredSeq: 5 });
    world.visibilities.hide("bob");
    await world.pass(1_100);
    world.visibilities.isAway = true;
    await world.raise("ann", { deliveredSeq: 5 });
    await world.pass(1_100);
    assert.equal(world.told().length, 1);
  });
});
