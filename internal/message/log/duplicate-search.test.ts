import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { MessageParts } from "../../testing/fakes/message/message-parts.ts";
import {
  clientIdOf,
  logStoreOf,
  pendingOf,
  storedCell,
  storedClientId,
  storeLog,
} from "../../testing/fakes/message/message-samples.ts";
import { sendTag, tagKey } from "../cells/send-tag.ts";
import type { Hit } from "./duplicate-search.ts";
import { findHead } from "./head-finder.ts";
import type { ThreadLog } from "./thread-log.ts";

describe("The duplicate search (docs/design.md, section 5)", () => {
  it("answers at once, without a read, where the cache reaches back to base_seq", async () => {
    const { parts, log } = await loaded(6);
    parts.store.gets.length = 0;
    assert.equal(parts.search.find(log, pendingOf({ baseSeq: 6 })), undefined);
    assert.equal(parts.store.gets.length, 0);
  });

  it("finds a repeat in the cache, and reads its cell alone", async () => {
    const { parts, log } = await loaded(6);
    await parts.append(log, { baseSeq: 6, text: "mine" });
    parts.store.gets.length = 0;
    const hit = await parts.search.find(log, pendingOf({ baseSeq: 6 }));
    assert.equal(hit?.seq, 7);
    assert.deepEqual(
      parts.store.gets.map(({ query }) => query.entries),
      [{ fromSeq: 7, toSeq: 7 }],
    );
  });

  it("finds a repeat in the cache under a base_seq above it", async () => {
    const { parts, log } = await loaded(0);
    await parts.append(log, { baseSeq: 0 });
    await parts.append(log, { baseSeq: 1, clientId: clientIdOf(2) });
    assert.equal((await parts.search.find(log, pendingOf({ baseSeq: 2 })))?.seq, 1);
  });

  it("looks in the store above base_seq where the cache does not reach, by keys, the newest row first", async () => {
    const { parts, log } = await loaded(10);
    parts.store.gets.length = 0;
    const hit = await find(parts, log, { clientId: storedClientId(2), baseSeq: 1 });
    assert.equal(hit?.seq, 2);
    assert.deepEqual(hit.cell, storedCell(2).value);
    const [first, second, third, cell] = parts.store.gets;
    assert.deepEqual([first?.bucket, second?.bucket, third?.bucket, cell?.bucket], [2, 1, 0, 0]);
    assert.deepEqual(third?.query.entries, { fromSeq: 2, toSeq: 4, keysOnly: true });
    assert.deepEqual(cell?.query.entries, { fromSeq: 2, toSeq: 2 });
  });

  it("does not look at or below base_seq", async () => {
    const { parts, log } = await loaded(10);
    assert.equal(await find(parts, log, { clientId: storedClientId(5), baseSeq: 5 }), undefined);
    assert.equal((await find(parts, log, { clientId: storedClientId(5), baseSeq: 4 }))?.seq, 5);
  });

  it("tells two sends of one tag apart by their cells, in the cache", async () => {
    const { parts, log } = await loaded(0);
    const same = { tagKey: tagKey(sendTag("ann", clientIdOf(1))) };
    await parts.append(log, { clientId: clientIdOf(1) });
    await parts.append(log, { clientId: clientIdOf(2), baseSeq: 1 });
    assert.equal((await find(parts, log, { clientId: clientIdOf(1) }))?.seq, 1);
    assert.equal((await find(parts, log, { clientId: clientIdOf(2) }))?.seq, 2);
    assert.equal(await find(parts, log, { clientId: clientIdOf(2), ...same }), undefined);
    assert.equal(await find(parts, log, { clientId: clientIdOf(3), ...same }), undefined);
    assert.equal(await find(parts, log, { userId: "bob", clientId: clientIdOf(1), ...same }), undefined);
  });

  it("tells two sends of one tag apart by their cells, in the store", async () => {
    const { parts, log } = await loaded(6);
    const { tag } = storedCell(3);
    assert.equal(await find(parts, log, { clientId: clientIdOf(9), tag }), undefined);
  });

  it("reads up to 4 rows for one send, and refuses one that would need more", async () => {
    const { parts, log } = await loaded(20);
    const four = await find(parts, log, { clientId: storedClientId(5), baseSeq: 4 });
    assert.equal(four?.seq, 5);
    await assert.rejects(find(parts, log, { clientId: storedClientId(4), baseSeq: 3 }), (error) => {
      assert.ok(error instanceof HeddleError);
      assert.equal(error.reason, ErrorReason.BASE_TOO_OLD);
      assert.deepEqual(error.metadata, { head_seq: "20" });
      return true;
    });
  });

  it("does not refuse an old base_seq whose send the cache holds", async () => {
    const { parts, log } = await loaded(20);
    await parts.append(log, { baseSeq: 20 });
    assert.equal((await find(parts, log, { baseSeq: 0 }))?.seq, 21);
  });

  it("goes through any number of rows for a seal, one row at a time", async () => {
    const { parts } = await loaded(40);
    const clientId = storedClientId(1);
    const identity = { userId: "ann", clientId, tagKey: tagKey(sendTag("ann", clientId)) };
    assert.equal((await parts.search.range(parts.threadId, identity, 1, 40))?.seq, 1);
    assert.equal(await parts.search.range(parts.threadId, identity, 2, 40), undefined);
    assert.equal(await parts.search.range(parts.threadId, identity, 41, 40), undefined);
  });
});

/** Always as a promise. */
async function find(
  parts: MessageParts,
  log: ThreadLog,
  sample: Parameters<typeof pendingOf>[0],
): Promise<Hit | undefined> {
  return parts.search.find(log, pendingOf(sample));
}

/** A thread of `seq` stored entries, rows of 4, whose head was just read: none of its keys is cached. */
async function loaded(seq: number) {
  const parts = new MessageParts(4);
  await storeLog(parts.store.inner, parts.threadId, 4, seq);
  const log = await parts.open();
  log.cache.loadHead(await findHead(logStoreOf(parts.store), parts.threadId, 0));
  return { parts, log };
}
