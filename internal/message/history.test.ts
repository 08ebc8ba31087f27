import assert from "node:assert/strict";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { Entry } from "../gen/heddle/message/v1/entry_pb.js";
import { ListEntriesResponseSchema } from "../gen/heddle/message/v1/message_service_pb.js";
import { HookedStore } from "../testing/fakes/message/message-ports.ts";
import { entryOfCell, logStoreOf, storedCell, storeLog } from "../testing/fakes/message/message-samples.ts";
import { DEFAULT_PAGE, type Page, type Position, readPage, type SeenSpans } from "./history.ts";

const threadId = new Uint8Array(16);
const NEWEST: Position = { case: undefined };

describe("A page of history", () => {
  it("is empty in an empty thread, whichever way", async () => {
    const read = reader(new HookedStore(), 0);
    for (const position of [NEWEST, above(0), above(5), below(0), below(1), below(9)]) {
      assert.deepEqual(await read(position, 10), { entries: new Uint8Array(0), hasMore: false });
    }
  });

  it("has what the cells say, in ascending order, with its thread and seqs", async () => {
    const { read } = await logOf(3, 4);
    const entries = entriesOf(await read(NEWEST, 10));
    const told = [1, 2, 3].map((seq) => entryOfCell(threadId, seq, storedCell(seq).value));
    assert.deepEqual(entries, told);
  });

  it("begins right above afterSeq, ends right below beforeSeq, or is the newest", async () => {
    const { read } = await logOf(10, 4);
    assert.deepEqual(seqs(await read(above(3), 3)), [4, 5, 6]);
    assert.deepEqual(seqs(await read(below(8), 3)), [5, 6, 7]);
    assert.deepEqual(seqs(await read(NEWEST, 3)), [8, 9, 10]);
    assert.deepEqual(seqs(await read(above(0), 2)), [1, 2]);
    assert.deepEqual(seqs(await read(below(99), 2)), [9, 10]);
    assert.deepEqual(seqs(await read(above(10), 2)), []);
    assert.deepEqual(seqs(await read(below(1), 2)), []);
    assert.deepEqual(seqs(await read(below(0), 2)), []);
  });

  it("has 50 entries where the request does not say", async () => {
    const { read } = await logOf(60, 512);
    assert.equal(entriesOf(await read(NEWEST, 0)).length, DEFAULT_PAGE);
    assert.equal(DEFAULT_PAGE, 50);
  });

  it("is the range it should be, with hasMore for the same direction, for any log and request", async () => {
    const given = fc.record({
      head: fc.nat(30),
      bucketSize: fc.integer({ min: 1, max: 7 }),
      way: fc.constantFrom("afterSeq", "beforeSeq", undefined),
      seq: fc.nat(35),
      size: fc.integer({ min: 1, max: 35 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ head, bucketSize, way, seq, size }) => {
        const { read } = await logOf(head, bucketSize);
        const page = await read(way ? { case: way, value: BigInt(seq) } : NEWEST, size);
        const all = Array.from({ length: head }, (_, at) => at + 1);
        const asked = all.filter((one) => (way === "afterSeq" ? one > seq : way ? one < seq : true));
        const expected = way === "afterSeq" ? asked.slice(0, size) : asked.slice(-size);
        assert.deepEqual(seqs(page), expected);
        assert.equal(page.hasMore, asked.length > expected.length);
      }),
      { numRuns: 150 },
    );
  });

  it("lies within one span of membership, and says whether there is more in any", async () => {
    const { read: readAll } = await logOf(30, 4);
    const earlier = [
      { firstSeq: 3, lastSeq: 8 },
      { firstSeq: 15, lastSeq: 16 },
    ];
    const seen = { last: { firstSeq: 20, lastSeq: 26 }, earlier: async () => earlier };
    const read = async (position: Position, size: number) => {
      const page = await readAll(position, size, seen);
      return [...seqs(page), page.hasMore];
    };
    assert.deepEqual(await read(above(0), 4), [3, 4, 5, 6, true]);
    assert.deepEqual(await read(above(6), 4), [7, 8, true]);
    assert.deepEqual(await read(above(8), 4), [15, 16, true]);
    assert.deepEqual(await read(above(11), 1), [15, true]);
    assert.deepEqual(await read(above(16), 10), [20, 21, 22, 23, 24, 25, 26, false]);
    assert.deepEqual(await read(above(26), 10), [false]);
    assert.deepEqual(await read(NEWEST, 10), [20, 21, 22, 23, 24, 25, 26, true]);
    assert.deepEqual(await read(below(20), 10), [15, 16, true]);
    assert.deepEqual(await read(below(12), 5), [4, 5, 6, 7, 8, true]);
    assert.deepEqual(await read(below(4), 5), [3, false]);
    assert.deepEqual(await read(below(3), 5), [false]);
  });

  it("asks for the spans before the last only where it gets to the first entry of that", async () => {
    const { read } = await logOf(30, 4);
    const asks = async (position: Position, size: number) => {
      let asked = 0;
      const earlier = async () => {
        asked += 1;
        return [{ firstSeq: 3, lastSeq: 8 }];
      };
      const { hasMore } = await read(position, size, { last: { firstSeq: 20, lastSeq: 30 }, earlier });
      return [asked, hasMore];
    };
    assert.deepEqual(await asks(NEWEST, 10), [0, true]);
    assert.deepEqual(await asks(below(30), 9), [0, true]);
    assert.deepEqual(await asks(above(20), 5), [0, true]);
    assert.deepEqual(await asks(above(25), 5), [0, false]);
    assert.deepEqual(await asks(NEWEST, 11), [1, true]);
    assert.deepEqual(await asks(below(99), 11), [1, true]);
    assert.deepEqual(await asks(below(20), 1), [1, true]);
    assert.deepEqual(await asks(above(18), 1), [1, true]);
  });

  it("reads the rows it needs and no others", async () => {
    const { read, store } = await logOf(20, 4);
    store.gets.length = 0;
    await read(below(11), 5);
    assert.deepEqual(
      store.gets.map(({ bucket, query }) => [bucket, query.entries]),
      [
        [1, { fromSeq: 6, toSeq: 8 }],
        [2, { fromSeq: 9, toSeq: 10 }],
      ],
    );
  });

  it("is cut at 1 MiB from the reader's end, and says that there is more", async () => {
    const { read } = await logOf(30, 512, 100_000);
    const up = await read(above(0), 200);
    assert.deepEqual([seqs(up)[0], seqs(up).length, up.hasMore], [1, 10, true]);
    const down = await read(NEWEST, 200);
    assert.deepEqual([seqs(down).at(-1), seqs(down).length, down.hasMore], [30, 10, true]);
  });

  it("has one entry at least, however large", async () => {
    const { read } = await logOf(2, 512, 2 << 20);
    assert.deepEqual(seqs(await read(above(0), 10)), [1]);
    assert.deepEqual(seqs(await read(NEWEST, 10)), [2]);
  });

  it("ends at the head it was given, whatever was appended since", async () => {
    const { store } = await logOf(9, 4);
    assert.deepEqual(seqs(await reader(store, 4, 6)(NEWEST, 3)), [4, 5, 6]);
    const page = await reader(store, 4, 6)(above(4), 9);
    assert.deepEqual([seqs(page), page.hasMore], [[5, 6], false]);
  });
});

function above(seq: number): Position {
  return { case: "afterSeq", value: BigInt(seq) };
}

function below(seq: number): Position {
  return { case: "beforeSeq", value: BigInt(seq) };
}

function seqs(page: Page): number[] {
  return entriesOf(page).map(({ seq }) => Number(seq));
}

function entriesOf(page: Page): Entry[] {
  return fromBinary(ListEntriesResponseSchema, page.entries).entries;
}

async function logOf(seq: number, bucketSize: number, textBytes = 0) {
  const store = new HookedStore();
  await storeLog(store.inner, threadId, bucketSize, seq, 0, textBytes);
  return { store, read: reader(store, bucketSize, seq) };
}

function reader(store: HookedStore, bucketSize: number, head = 0) {
  const last = { firstSeq: 1, lastSeq: head };
  return (position: Position, size: number, seen: SeenSpans = { last, earlier: async () => [] }) =>
    readPage(logStoreOf(store, Math.max(1, bucketSize)), threadId, seen, position, size);
}
