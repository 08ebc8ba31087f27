import assert from "node:assert/strict";
import fc from "fast-check";
import { EMPTY_HEAD, encodeHead, type Head } from "../../base/head.ts";
import { HeddleError, storeUnavailable } from "../../base/heddle-error.ts";
import { HookedStore } from "../../testing/fakes/message/message-ports.ts";
import { headAt, logStoreOf } from "../../testing/fakes/message/message-samples.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import type { MessageStore } from "../ports.ts";
import { findHead, HeadReader } from "./head-finder.ts";

const threadId = new Uint8Array(16);

/** A log of `seq` messages in rows of `bucketSize`; `raised` opens the next row, at a full bucket, with an epoch. */
interface Shape {
  readonly bucketSize: number;
  readonly seq: number;
  readonly raised: boolean;
  readonly hint: number;
}

const shape = fc.record({
  bucketSize: fc.integer({ min: 1, max: 5 }),
  seq: fc.oneof(fc.nat(12), fc.nat(400)),
  raised: fc.boolean(),
  hint: fc.oneof(fc.nat(6), fc.nat(500), fc.constantFrom(0xfffffffe)),
});

describe("A head is found", () => {
  it("from any hint, with the row and bytes that the next change is checked against", async () => {
    await fc.assert(
      fc.asyncProperty(shape, async (given) => {
        const { store, head, bucket, stored } = await storeOf(given);
        const found = await findHead(logStoreOf(store, given.bucketSize), threadId, given.hint);
        assert.deepEqual(found, { head, bucket, stored });
      }),
      { numRuns: 300 },
    );
  });

  it("with a number of reads that grows with the logarithm of the hint's error", async () => {
    await fc.assert(
      fc.asyncProperty(shape, async (given) => {
        const { store, bucket } = await storeOf(given);
        store.gets.length = 0;
        await findHead(logStoreOf(store, given.bucketSize), threadId, given.hint);
        const bound = 3 + 2 * Math.log2(1 + Math.abs(given.hint - bucket));
        assert.ok(store.gets.length <= bound, `${store.gets.length} reads, more than ${bound}`);
      }),
      { numRuns: 300 },
    );
  });

  it("with one read where the hint is right and the row is not full", async () => {
    const { store } = await storeOf({ bucketSize: 4, seq: 10, raised: false, hint: 2 });
    store.gets.length = 0;
    await findHead(logStoreOf(store, 4), threadId, 2);
    assert.equal(store.gets.length, 1);
  });

  it("in a row that a raise of the epoch opened after a full bucket", async () => {
    const { store, head } = await storeOf({ bucketSize: 4, seq: 8, raised: true, hint: 0 });
    for (const hint of [0, 1, 2, 3, 9]) {
      const found = await findHead(logStoreOf(store, 4), threadId, hint);
      assert.deepEqual(found, { head, bucket: 2, stored: encodeHead(head) });
      assert.deepEqual([found.head.seq, found.head.epoch], [8, 1]);
    }
  });

  it("as it was at some moment of the call, while others append", async () => {
    // Reads of several rows are apart in time: between any two of them rows may fill and be opened.
    const race = fc.record({
      hint: fc.nat(8),
      before: fc.nat(8),
      steps: fc.array(fc.nat(3), { maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(race, async ({ hint, before, steps }) => {
        const store = new HookedStore();
        await raiseTo(store.inner, 2, before);
        let seq = before;
        store.onGet = async (read) => {
          const row = await read();
          const more = steps.pop() ?? 0;
          // Each append stays within its bucket, so that a thread's head passes through every full row.
          await raiseTo(store.inner, 2, seq + more, seq);
          seq += more;
          return row;
        };
        const found = await findHead(logStoreOf(store, 2), threadId, hint);
        assert.ok(found.head.seq >= before && found.head.seq <= seq, `${found.head.seq} of ${before}…${seq}`);
        assert.equal(found.bucket, Math.floor(found.head.seq / 2));
      }),
      { numRuns: 300 },
    );
  });
});

describe("HeadReader", () => {
  it("lets all who ask during a read share the next one", async () => {
    const { reader, store, answer } = heldReader();
    await raiseTo(store.inner, 4, 1);
    const first = read(reader);
    await raiseTo(store.inner, 4, 2, 1);
    const later = [read(reader), read(reader), read(reader)];
    await answer();
    await answer();
    assert.equal((await first).seq, 1);
    assert.deepEqual(
      (await Promise.all(later)).map(({ seq }) => seq),
      [2, 2, 2],
    );
    assert.equal(store.gets.length, 2);
  });

  it("never answers with a head older than what was committed before it was asked", async () => {
    const op = fc.constantFrom("append", "ask", "answer");
    await fc.assert(
      fc.asyncProperty(fc.array(op, { maxLength: 40, size: "max" }), async (ops) => {
        const { reader, store, answer, waiting } = heldReader();
        const asked: { readonly committed: number; readonly head: Promise<Head> }[] = [];
        let seq = 0;
        for (const next of ops) {
          if (next === "append") await raiseTo(store.inner, 4, seq + 1, seq++);
          else if (next === "ask") asked.push({ committed: seq, head: read(reader) });
          else await answer();
        }
        await quiet();
        while (waiting() > 0) await answer();
        for (const { committed, head } of asked) assert.ok((await head).seq >= committed);
      }),
      { numRuns: 200 },
    );
  });

  it("reads anew for those who asked during a read that failed", async () => {
    const { reader, store, answer } = heldReader();
    const failing = read(reader);
    const next = read(reader);
    const refused = assert.rejects(failing, HeddleError);
    await answer(storeUnavailable("message"));
    await answer();
    await refused;
    assert.deepEqual(await next, EMPTY_HEAD);
    assert.equal(store.gets.length, 2);
  });

  it("keeps threads apart", async () => {
    const { reader, store, answer } = heldReader();
    const other = Uint8Array.from({ length: 16 }, () => 1);
    await raiseTo(store.inner, 4, 3, 0, other);
    const heads = [read(reader), reader.readHead("other", other, 0)];
    assert.equal(store.gets.length, 2);
    await answer();
    await answer();
    assert.deepEqual(
      (await Promise.all(heads)).map(({ seq }) => seq),
      [0, 3],
    );
  });
});

function read(reader: HeadReader): Promise<Head> {
  return reader.readHead("thread", threadId, 0);
}

/** A reader whose reads see the store at once and are answered, the oldest first, when the test says so. */
function heldReader() {
  const store = new HookedStore();
  const held: ((error?: Error) => void)[] = [];
  store.onGet = async (get) => {
    const row = await get();
    return new Promise((resolve, reject) => held.push((error) => (error ? reject(error) : resolve(row))));
  };
  const answer = async (error?: Error) => {
    await quiet();
    held.shift()?.(error);
    await quiet();
  };
  return { store, reader: new HeadReader(logStoreOf(store, 4)), answer, waiting: () => held.length };
}

async function storeOf({ bucketSize, seq, raised }: Shape) {
  const store = new HookedStore();
  await raiseTo(store.inner, bucketSize, seq);
  const bucket = Math.floor(seq / bucketSize);
  const isOpen = seq % bucketSize !== 0;
  const head = raised ? { ...headAt(seq), epoch: 1 } : headAt(seq);
  if (raised) {
    const before = isOpen ? encodeHead(headAt(seq)) : undefined;
    await store.inner.checkAndPut({ threadId, bucket }, before, encodeHead(head), []);
  }
  return { store, head, bucket, stored: raised || isOpen ? encodeHead(head) : undefined };
}

/** Moves a head on from \`from\` to \`to\`, bucket by bucket, as appends do. Heads alone: nobody reads entries here. */
async function raiseTo(store: MessageStore, bucketSize: number, to: number, from = 0, thread = threadId) {
  for (let seq = from; seq < to; ) {
    const bucket = Math.floor(seq / bucketSize);
    const before = seq % bucketSize === 0 ? undefined : encodeHead(headAt(seq));
    seq = Math.min(to, (bucket + 1) * bucketSize);
    assert.ok(await store.checkAndPut({ threadId: thread, bucket }, before, encodeHead(headAt(seq)), []));
  }
}
