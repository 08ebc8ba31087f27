import assert from "node:assert/strict";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { clientIdOf, storeLog } from "../../testing/fakes/message/message-samples.ts";
import { receiptsOf } from "../../testing/fakes/message/receipt-parts.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { receiptCells } from "../cells/receipt-cell.ts";
import { RECEIPTS_BUCKET } from "../ports.ts";

describe("Raising positions", () => {
  it("is clamped to a head read from the store", async () => {
    const world = await receiptsOf(5);
    await world.raise("bob", { readSeq: 99 });
    assert.deepEqual((await world.listed()).get("bob"), { deliveredSeq: 5, readSeq: 5, readOrdinal: 5 });
    await world.raise("ann", { deliveredSeq: 99 });
    assert.deepEqual((await world.listed()).get("ann"), { deliveredSeq: 5, readSeq: 0, readOrdinal: 0 });
  });

  it("clamps to no head that is older than the call", async () => {
    const world = await receiptsOf(5);
    await world.raise("bob", { readSeq: 5 });
    await storeLog(world.parts.store.inner, world.parts.threadId, 4, 7, 5);
    await world.raise("bob", { readSeq: 7 });
    assert.equal((await world.listed()).get("bob")?.readSeq, 7);
  });

  it("never lowers one, and reading means having received", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 6, deliveredSeq: 2 });
    await world.raise("bob", { readSeq: 3, deliveredSeq: 4 });
    assert.deepEqual((await world.listed()).get("bob"), { deliveredSeq: 6, readSeq: 6, readOrdinal: 6 });
    await world.raise("bob", { deliveredSeq: 8 });
    assert.deepEqual((await world.listed()).get("bob"), { deliveredSeq: 8, readSeq: 6, readOrdinal: 6 });
  });

  it("finds the ordinal of the seq in the log", async () => {
    const world = await receiptsOf(2);
    // Seq 3 is a void: it counts no message.
    await world.parts.append(world.log, { kind: "void", baseSeq: 2 });
    await world.parts.append(world.log, { clientId: clientIdOf(2), baseSeq: 3 });
    await world.raise("bob", { readSeq: 3 });
    assert.deepEqual((await world.listed()).get("bob"), { deliveredSeq: 3, readSeq: 3, readOrdinal: 2 });
    await world.raise("bob", { readSeq: 4 });
    assert.equal((await world.listed()).get("bob")?.readOrdinal, 3);
  });

  it("stands on what was stored before the server started", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 6 });
    await world.pass(1_000);
    const restarted = world.restart();
    await restarted.raise("bob", { readSeq: 4 });
    assert.equal((await restarted.listed()).get("bob")?.readSeq, 6);
  });

  it("forgets the threads that were used first where positions take too much, and reads them again", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 6 });
    await world.pass(1_000);
    const { receipts, raise, reads } = world.restart(4_000);
    await raise("bob", { readSeq: 8 });
    await world.pass(1_000);
    for (const other of ["cid", "dee"]) {
      const threadId = world.parts.threads.add("ann", other);
      await storeLog(world.parts.store.inner, threadId, 4, 3);
      const row = { threadId, bucket: RECEIPTS_BUCKET };
      const read = { deliveredSeq: 1, readSeq: 1, readOrdinal: 1 };
      const cells = ["ann", other].flatMap((userId) => receiptCells(userId, read));
      await world.parts.store.inner.put(row, "r", cells);
      const log = await world.parts.logs.open(threadId, "ann");
      await receipts.raise(log, { userId: "ann", deliveredSeq: 0, readSeq: 1, originSession: "" });
    }
    const forgotten = reads();
    await raise("bob", { readSeq: 8 });
    assert.equal(reads(), forgotten + 1);
    assert.equal((await world.listed()).get("bob")?.readSeq, 8);
  });

  it("lists nobody without a known position", async () => {
    const world = await receiptsOf(0);
    await world.raise("bob", { readSeq: 3 });
    assert.deepEqual(await world.listed(), new Map());
  });
});

describe("A sender's own message", () => {
  const imported = { userId: "ann", baseSeq: 0, originSession: "" };

  it("moves its read position where that stood right below it", async () => {
    const world = await receiptsOf(5);
    await world.raise("ann", { readSeq: 5 });
    world.receipts.ownMessage(world.log, imported, { seq: 6, ordinal: 6 });
    world.receipts.ownMessage(world.log, imported, { seq: 7, ordinal: 7 });
    assert.deepEqual((await world.listed()).get("ann"), { deliveredSeq: 7, readSeq: 7, readOrdinal: 7 });
  });

  it("does not where an entry between was not read, and lowers nothing", async () => {
    const world = await receiptsOf(5);
    await world.raise("ann", { readSeq: 4 });
    world.receipts.ownMessage(world.log, imported, { seq: 6, ordinal: 6 });
    assert.equal((await world.listed()).get("ann")?.readSeq, 4);
    await world.raise("ann", { readSeq: 5 });
    world.receipts.ownMessage(world.log, imported, { seq: 3, ordinal: 3 });
    assert.equal((await world.listed()).get("ann")?.readSeq, 5);
  });

  it("reads positions that are not at hand first", async () => {
    const world = await receiptsOf(5);
    await world.raise("ann", { readSeq: 5 });
    await world.pass(1_000);
    const restarted = world.restart();
    restarted.receipts.ownMessage(restarted.log, imported, { seq: 6, ordinal: 6 });
    await quiet();
    assert.equal((await restarted.listed()).get("ann")?.readSeq, 6);
  });

  it("is written, and told to nobody: its entry tells it", async () => {
    const world = await receiptsOf(0);
    world.receipts.ownMessage(world.log, imported, { seq: 1, ordinal: 1 });
    await quiet();
    await world.pass(1_000);
    assert.deepEqual(await world.stored("ann"), { deliveredSeq: 1, readSeq: 1, readOrdinal: 1 });
    assert.deepEqual(world.told(), []);
  });
});

describe("What is unread", () => {
  const session = "5e55";
  const rowOf = (readSeq = 0) => ({ readSeq, readOrdinal: readSeq });

  it("leaves one's own messages out, wherever the read position stands", async () => {
    const world = await receiptsOf(0);
    for (const [at, by] of [..."baabbab"].entries()) await world.post(by === "a" ? "ann" : "bob", at + 1);
    const left = [4, 3, 3, 3, 2, 1, 1, 0];
    for (const [readSeq, unread] of left.entries()) {
      await world.raise("ann", { readSeq });
      assert.deepEqual(await world.unread("ann"), { readSeq, readOrdinal: readSeq, unread }, `at ${readSeq}`);
    }
  });

  it("is what was read where the session stood that has sent, and no more", async () => {
    const world = await receiptsOf(25);
    await world.post("bob", 26, { baseSeq: 20, originSession: session });
    assert.deepEqual(await world.unread("bob"), { readSeq: 20, readOrdinal: 20, unread: 5 });
    await world.post("bob", 27, { baseSeq: 25, originSession: session });
    assert.deepEqual(await world.unread("bob"), { readSeq: 25, readOrdinal: 25, unread: 0 });
    await world.pass(1_000);
    assert.equal(world.told().at(-1)?.readSeq, 25n);
  });

  it("is not read by a message that no session of the user has sent", async () => {
    const world = await receiptsOf(25);
    await world.post("bob", 26, { baseSeq: 25 });
    assert.deepEqual(await world.unread("bob"), { readSeq: 0, readOrdinal: 0, unread: 25 });
  });

  it("counts no entry that is no message", async () => {
    const world = await receiptsOf(2);
    await world.parts.append(world.log, { kind: "void", baseSeq: 2 });
    await world.post("bob", 4, { baseSeq: 2, originSession: session });
    assert.equal((await world.unread("bob"))?.unread, 0);
    await world.raise("ann", { readSeq: 2 });
    assert.equal((await world.unread("ann"))?.unread, 1);
  });

  it("is counted again from the log after a server died before it wrote", async () => {
    const world = await receiptsOf(0);
    for (let seq = 1; seq <= 3; seq++) await world.post(seq === 2 ? "bob" : "ann", seq);
    const restarted = world.restart();
    assert.equal((await restarted.unread("ann"))?.unread, 1);
    await restarted.post("ann", 4);
    assert.equal((await restarted.unread("ann"))?.unread, 1);
    assert.equal((await world.restart().unread("ann", { isExact: false }))?.unread, 1, "it is kept now");
  });

  it("reads no log where it need not be exact", async () => {
    const world = await receiptsOf(0);
    for (let seq = 1; seq <= 9; seq++) await world.post(seq % 3 === 0 ? "bob" : "ann", seq);
    await world.pass(1_000);
    const restarted = world.restart();
    const before = restarted.reads();
    assert.equal((await restarted.unread("ann", { isExact: false }))?.unread, 3);
    assert.equal(restarted.reads(), before + 1, "more than the cells of the user");
  });

  it("is exact to 999", async () => {
    const world = await receiptsOf(0);
    await storeLog(world.parts.store.inner, world.parts.threadId, 4, 1_500);
    for (const [readSeq, unread] of [
      [0, 1_000],
      [500, 1_000],
      [501, 999],
      [1_499, 1],
    ] as const) {
      await world.raise("bob", { readSeq });
      assert.equal((await world.unread("bob"))?.unread, unread);
    }
  });

  it("follows a row that knows more than the cells, as of one who has just joined", async () => {
    const world = await receiptsOf(9);
    assert.deepEqual(await world.unread("bob", { row: rowOf(7) }), { ...rowOf(7), unread: 2 });
  });
});

describe("A conversation in full flow", () => {
  const session = "5e55";

  it("reads no log: not to count, nor where a position rises", async () => {
    const world = await receiptsOf(0);
    const before = world.logReads();
    for (let seq = 1; seq <= 400; seq++) {
      const userId = seq % 2 === 0 ? "ann" : "bob";
      await world.post(userId, seq, { baseSeq: Math.max(0, seq - 9), originSession: session });
      if (seq > 5) await world.raise(userId, { readSeq: seq - 5 });
    }
    assert.equal(world.logReads(), before);
    assert.equal((await world.unread("ann"))?.unread, 2, "397 and 399 are bob's");
  });

  it("reads the log once for all messages that come while it is counted", async () => {
    const world = await receiptsOf(0);
    for (let seq = 1; seq <= 9; seq++) await world.post("bob", seq);
    const restarted = world.restart();
    const before = restarted.logReads();
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    world.parts.store.onGet = async (read, _, query) => {
      if ("entries" in query) await held;
      return read();
    };
    for (let seq = 10; seq <= 40; seq++) await restarted.post(seq % 2 === 0 ? "ann" : "bob", seq);
    letGo();
    await quiet();
    assert.equal((await restarted.unread("ann"))?.unread, 40 - 16);
    assert.equal(
      restarted.logReads() - before,
      3,
      "not each of the rows with the ten messages until it was counted",
    );
  });
});

describe("Positions that were raised", () => {
  it("are written and told at once, then once a second", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 1 });
    await world.pass(50);
    assert.deepEqual(world.puts(), 1);
    for (let seq = 2; seq <= 9; seq++) {
      await world.raise("bob", { readSeq: seq });
      await world.pass(100);
    }
    assert.deepEqual(world.puts(), 1);
    await world.pass(250);
    assert.deepEqual(world.puts(), 2);
    assert.deepEqual(await world.stored("bob"), { deliveredSeq: 9, readSeq: 9, readOrdinal: 9 });
    assert.deepEqual(
      world.told().map(({ userId, readSeq }) => [userId, readSeq]),
      [
        ["bob", 1n],
        ["bob", 9n],
      ],
    );
    await world.pass(500);
    assert.equal(world.parts.clock.waiting, 1, "more waits than the copy into rows");
  });

  it("are written and told when only the read position moved", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { deliveredSeq: 9 });
    await world.pass(1_000);
    await world.raise("bob", { readSeq: 9 });
    await world.pass(1_000);
    assert.equal((await world.stored("bob"))?.readSeq, 9);
    assert.equal(world.told().at(-1)?.readSeq, 9n);
  });

  it("cost nothing where they say nothing new", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 9 });
    await world.pass(1_000);
    await world.raise("bob", { readSeq: 9, deliveredSeq: 8 });
    await world.pass(1_000);
    assert.deepEqual([world.puts(), world.told().length], [1, 1]);
  });

  it("go to both inboxes, but not to the session that said them", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 4 }, "5e55");
    await world.pass(1_000);
    const [publication] = world.parts.channel.publications;
    assert.deepEqual(publication?.topics, ["user/ann", "user/bob"]);
    assert.deepEqual([publication?.kind, publication?.originSession], ["receipt", "5e55"]);
    assert.deepEqual([publication?.userId, publication?.thread], ["bob", world.log.key]);
  });

  it("go to both sessions of a user that said different ones within a second", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 4 }, "aa");
    await world.raise("bob", { deliveredSeq: 9 }, "bb");
    await world.pass(1_000);
    assert.deepEqual(
      world.parts.channel.publications.map(({ originSession }) => originSession),
      [""],
    );
  });

  it("are told only once they are written", async () => {
    const world = await receiptsOf(9);
    await world.raise("bob", { readSeq: 4 });
    await world.pass(1_000);
    assert.deepEqual(world.parts.trace.slice(-2), ["put r", "publish receipt bob"]);
  });

  it("are written later where the store is away, the newest of them, and not listed before", async () => {
    const world = await receiptsOf(9);
    world.parts.store.onPut = () => Promise.reject(storeUnavailable("message"));
    await world.raise("bob", { readSeq: 4 }, "5e55");
    await world.pass(3_000);
    await world.raise("bob", { readSeq: 6 }, "5e55");
    await world.pass(3_000);
    assert.equal(await world.stored("bob"), undefined);
    assert.equal((await world.list()).get("bob"), undefined);
    assert.deepEqual(world.told(), []);
    world.parts.store.onPut = undefined;
    await world.pass(1_100);
    assert.equal((await world.stored("bob"))?.readSeq, 6);
    assert.deepEqual(
      world.told().map(({ readSeq }) => readSeq),
      [6n],
    );
    assert.equal(world.parts.channel.publications[0]?.originSession, "5e55");
  });

  it("are written later where the store never answered", async () => {
    const world = await receiptsOf(9);
    world.parts.store.onPut = () => new Promise(() => {});
    await world.raise("bob", { readSeq: 4 });
    await world.pass(100);
    world.parts.store.onPut = undefined;
    await world.pass(7_000);
    assert.equal((await world.stored("bob"))?.readSeq, 4);
    assert.equal(world.told().length, 1);
  });

  it("are told later where the channel is away", async () => {
    const world = await receiptsOf(9);
    world.parts.channel.onPublish = () => Promise.reject(storeUnavailable("channel"));
    await world.raise("bob", { readSeq: 4 });
    await world.pass(1_000);
    world.parts.channel.onPublish = undefined;
    await world.pass(1_100);
    assert.equal(world.told().length, 1);
  });

  it("are listed together with those of others in the store", async () => {
    const world = await receiptsOf(9);
    await world.raise("ann", { readSeq: 2 });
    await world.pass(1_000);
    const restarted = world.restart();
    await restarted.raise("bob", { readSeq: 4 });
    assert.deepEqual(
      [...(await restarted.listed())].map(([userId, { readSeq }]) => [userId, readSeq]),
      [
        ["ann", 2],
        ["bob", 4],
      ],
    );
  });

  it("are all written when the service closes, those under way included", async () => {
    const world = await receiptsOf(9);
    const release = Promise.withResolvers<void>();
    world.parts.store.onPut = async (apply) => {
      world.parts.store.onPut = undefined;
      await release.promise;
      return apply();
    };
    await world.raise("bob", { readSeq: 4 });
    await world.pass(100);
    await world.raise("ann", { readSeq: 3 });
    let closed = false;
    const closing = world.receipts.close().then(() => {
      closed = true;
    });
    await quiet();
    assert.equal(closed, false);
    release.resolve();
    await closing;
    assert.equal((await world.stored("bob"))?.readSeq, 4);
    assert.equal((await world.stored("ann"))?.readSeq, 3);
    assert.deepEqual(world.rows().toSorted(), ["ann 3", "bob 4"]);
  });
});
