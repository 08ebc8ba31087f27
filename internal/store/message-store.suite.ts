import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { decodeHead, EMPTY_HEAD, encodeHead } from "../base/head.ts";
import { MAX_SEQ } from "../base/ids.ts";
import { familyPrefixSuite } from "./family-prefix.suite.ts";
import {
  type EntryCellPut,
  type MessageStore,
  RECEIPTS_BUCKET,
  type RowKey,
  type VersionedCell,
} from "./message-store.ts";

export interface OpenedMessageStore {
  readonly store: MessageStore;
  /** Closes the store and opens it again on the same data. Missing where nothing outlives a close. */
  reopen?(): Promise<MessageStore>;
  close(): Promise<void>;
}

/**
 * What every MessageStore must do. Every test works in rows of its own, so a store with other data will do.
 * `durable: false` leaves out what a store in memory cannot do: outlive a close.
 */
export function messageStoreSuite(
  name: string,
  open: () => Promise<OpenedMessageStore>,
  { durable = true } = {},
): void {
  describe(`${name} as a MessageStore`, () => {
    let opened: OpenedMessageStore;
    let store: MessageStore;
    before(async () => {
      opened = await open();
      store = opened.store;
    });
    after(() => opened.close());
    const current = () => store;

    describe("checkAndPut", () => checkAndPutTests(current));
    describe("under concurrent writers", () => concurrencyTests(current));
    describe("put", () => putTests(current));
    describe("get", () => getTests(current));

    if (!durable) return;
    it("keeps everything over a close", async () => {
      assert.ok(opened.reopen);
      const row = freshRow();
      const entries = [entry(1, 500), entry(2, 0)];
      await store.checkAndPut(row, undefined, head(2), entries);
      await store.put(row, "x", [cell([1, 2], 3, "x")]);
      await store.put({ ...row, bucket: RECEIPTS_BUCKET }, "r", [cell([9], 4, "r")]);
      store = await opened.reopen();
      assert.deepEqual(await readAll(store, row), { head: plain(head(2)), entries, x: ["0102@3=x"], r: [] });
      assert.deepEqual((await readAll(store, { ...row, bucket: RECEIPTS_BUCKET })).r, ["09@4=r"]);
      assert.equal(await store.checkAndPut(row, undefined, head(1), []), false);
      assert.equal(await store.checkAndPut(row, head(2), head(3), [entry(3)]), true);
      await store.put(row, "x", [cell([1, 2], 2, "older")]);
      assert.deepEqual((await readAll(store, row)).x, ["0102@3=x"]);
    });
  });
}

function checkAndPutTests(store: () => MessageStore): void {
  it("puts head and entries if the head is absent, as expected", async () => {
    const row = freshRow();
    assert.equal(await store().checkAndPut(row, undefined, head(1), [entry(1)]), true);
    assert.deepEqual(await readAll(store(), row), {
      head: plain(head(1)),
      entries: [entry(1)],
      x: [],
      r: [],
    });
  });

  it("puts head and entries if the head equals the expected one", async () => {
    const row = freshRow();
    await store().checkAndPut(row, undefined, head(1), [entry(1)]);
    assert.equal(await store().checkAndPut(row, head(1), head(3), [entry(2), entry(3)]), true);
    const { entries } = await readAll(store(), row);
    assert.deepEqual(entries, [entry(1), entry(2), entry(3)]);
  });

  it("changes nothing if the head differs", async () => {
    const row = freshRow();
    await store().checkAndPut(row, undefined, head(1), [entry(1)]);
    const before = await readAll(store(), row);
    const wrong = [
      undefined,
      head(2),
      head(1).subarray(0, 31),
      encodeHead({ ...EMPTY_HEAD, seq: 1, epoch: 1 }),
    ];
    for (const expected of wrong) {
      assert.equal(await store().checkAndPut(row, expected, head(9), [entry(9)]), false);
    }
    assert.deepEqual(await readAll(store(), row), before);
  });

  it("changes nothing if a head is expected and there is none", async () => {
    const row = freshRow();
    assert.equal(await store().checkAndPut(row, head(1), head(2), [entry(2)]), false);
    assert.deepEqual(await readAll(store(), row), { head: undefined, entries: [], x: [], r: [] });
  });

  it("raises a head without an entry", async () => {
    const row = freshRow();
    assert.equal(
      await store().checkAndPut(row, undefined, encodeHead({ ...EMPTY_HEAD, epoch: 1 }), []),
      true,
    );
    const read = await store().get(row, { head: true });
    assert.equal(decodeHead(read.head ?? new Uint8Array()).epoch, 1);
  });

  it("overwrites an entry of the same seq and tag, as an erasure does", async () => {
    const row = freshRow();
    await store().checkAndPut(row, undefined, head(1), [entry(1, 100)]);
    const erased = { ...entry(1), value: new Uint8Array(0) };
    assert.equal(await store().checkAndPut(row, head(1), head(1), [erased]), true);
    assert.deepEqual((await readAll(store(), row)).entries, [erased]);
  });

  it("takes 512 entries and a mebibyte at once", async () => {
    const row = freshRow();
    const entries = Array.from({ length: 512 }, (_, at) => entry(at + 1, 2048));
    assert.equal(await store().checkAndPut(row, undefined, head(512), entries), true);
    assert.deepEqual((await readAll(store(), row)).entries, entries);
  });

  it("takes the highest bucket and seq", async () => {
    const row = { ...freshRow(), bucket: 0xfffffffe };
    assert.equal(await store().checkAndPut(row, undefined, head(MAX_SEQ), [entry(MAX_SEQ)]), true);
    const read = await store().get(row, { head: true, entries: { fromSeq: 1, toSeq: MAX_SEQ } });
    assert.deepEqual(plainEntries(read.entries), [entry(MAX_SEQ)]);
  });
}

function concurrencyTests(store: () => MessageStore): void {
  it("lets exactly one of many win over the same head", async () => {
    for (let round = 0; round < 20; round++) {
      const row = freshRow();
      const writers = Array.from({ length: 24 }, (_, at) =>
        store().checkAndPut(row, undefined, head(1), [{ ...entry(1), tag: tagOf(at) }]),
      );
      const won = await Promise.all(writers);
      const winner = won.indexOf(true);
      assert.equal(won.filter(Boolean).length, 1);
      const { entries } = await readAll(store(), row);
      assert.deepEqual(entries, [{ ...entry(1), tag: tagOf(winner) }]);
    }
  });

  for (const seed of [1, 2, 3]) {
    it(`makes one log of many writers' appends, without hole or fork (seed ${seed})`, async () => {
      const random = seeded(seed);
      const rows = [freshRow(), freshRow(), freshRow()];
      const wins = new Map<RowKey, number[]>(rows.map((row) => [row, []]));
      const writer = async (id: number) => {
        for (let turn = 0; turn < 20; turn++) {
          const row = rows[Math.floor(random() * rows.length)] as RowKey;
          const read = await store().get(row, { head: true });
          const seq = read.head ? decodeHead(read.head).seq : 0;
          const many = 1 + Math.floor(random() * 3);
          const mine = Array.from({ length: many }, (_, at) => ({ ...entry(seq + 1 + at), tag: tagOf(id) }));
          if (await store().checkAndPut(row, read.head, head(seq + many), mine)) {
            wins.get(row)?.push(...mine.map((won) => won.seq * 1000 + id));
          }
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, id) => writer(id)));
      for (const row of rows) {
        const read = await readAll(store(), row);
        const inLog = read.entries.map((found) => found.seq * 1000 + (found.tag[0] ?? 0));
        assert.deepEqual(
          inLog,
          wins.get(row)?.sort((a, b) => a - b),
        );
        assert.deepEqual(
          read.entries.map((found) => found.seq),
          Array.from({ length: read.entries.length }, (_, at) => at + 1),
        );
        assert.deepEqual(read.head, plain(head(read.entries.length)));
      }
    });
  }

  it("shows a reader head and entries of one moment", async () => {
    const row = freshRow();
    let writing = true;
    const write = async () => {
      for (let seq = 0; seq < 60; seq += 2) {
        const expected = seq === 0 ? undefined : head(seq);
        await store().checkAndPut(row, expected, head(seq + 2), [entry(seq + 1), entry(seq + 2)]);
      }
      writing = false;
    };
    const read = async () => {
      while (writing) {
        const seen = await readAll(store(), row);
        const seq = seen.head ? decodeHead(seen.head).seq : 0;
        assert.equal(seen.entries.length, seq);
      }
    };
    await Promise.all([write(), read(), read(), read()]);
  });
}

function putTests(store: () => MessageStore): void {
  for (const family of ["x", "r"] as const) {
    const read = async (row: RowKey) => (await readAll(store(), row))[family];

    it(`keeps the highest timestamp of a cell of ${family}`, async () => {
      const row = freshRow();
      for (const [at, value] of [
        [5, "five"],
        [3, "three"],
        [7, "seven"],
        [6, "six"],
      ] as const) {
        await store().put(row, family, [cell([1], at, value)]);
      }
      assert.deepEqual(await read(row), ["01@7=seven"]);
    });

    it(`keeps the later of two writes to ${family} with equal timestamps`, async () => {
      const row = freshRow();
      await store().put(row, family, [cell([1], 5, "first")]);
      await store().put(row, family, [cell([1], 5, "second")]);
      assert.deepEqual(await read(row), ["01@5=second"]);
    });

    it(`keeps the highest of concurrent writes to ${family}`, async () => {
      const row = freshRow();
      const timestamps = [4, 9, 2, 7, 9, 1];
      await Promise.all(timestamps.map((at) => store().put(row, family, [cell([0], at, `v${at}`)])));
      assert.deepEqual(await read(row), ["00@9=v9"]);
    });

    familyPrefixSuite(store, family);
    it(`keeps qualifiers of ${family} with any bytes apart and in order`, async () => {
      const row = freshRow();
      const qualifiers = [
        [0xff],
        [0xff, 0],
        [0],
        [0, 0],
        [0, 0xff],
        [0x68, 0x6d],
        [0xc3, 0xa9],
        [0xc3, 0x28],
      ];
      await store().put(
        row,
        family,
        qualifiers.map((bytes) => cell(bytes, 1, "v")),
      );
      const names = qualifiers.map((bytes) => Buffer.from(bytes).toString("hex")).sort();
      assert.deepEqual(
        await read(row),
        names.map((found) => `${found}@1=v`),
      );
    });
  }

  it("keeps families, buckets and threads apart", async () => {
    const id = Uint8Array.from({ length: 16 }, () => 0xff);
    id.set(randomBytes(8), 4);
    const low = id.slice();
    low[15] = 0;
    const rows = [id, low].flatMap((threadId) => [0, 1, 255, 256].map((bucket) => ({ threadId, bucket })));
    for (const row of rows) {
      await store().checkAndPut(row, undefined, head(row.bucket + 1), [entry(row.bucket + 1)]);
      await store().put(row, "x", [cell([1], 1, `x${row.bucket}`)]);
      await store().put(row, "r", [cell([1], 2, `r${row.bucket}`)]);
    }
    for (const row of rows) {
      assert.deepEqual(await readAll(store(), row), {
        head: plain(head(row.bucket + 1)),
        entries: [entry(row.bucket + 1)],
        x: [`01@1=x${row.bucket}`],
        r: [`01@2=r${row.bucket}`],
      });
    }
  });
}

function getTests(store: () => MessageStore): void {
  it("finds nothing in a row that was never written", async () => {
    assert.deepEqual(await readAll(store(), freshRow()), { head: undefined, entries: [], x: [], r: [] });
  });

  it("reads what it is asked and nothing else", async () => {
    const row = freshRow();
    await store().checkAndPut(row, undefined, head(1), [entry(1)]);
    await store().put(row, "x", [cell([1], 1, "v")]);
    assert.deepEqual(await store().get(row, {}), { head: undefined, entries: [], cells: [] });
    const onlyHead = await store().get(row, { head: true });
    assert.deepEqual([onlyHead.entries.length, onlyHead.cells.length], [0, 0]);
    assert.equal((await store().get(row, { family: "x" })).head, undefined);
  });

  it("reads ranges with both ends in", async () => {
    const row = freshRow();
    const entries = Array.from({ length: 10 }, (_, at) => entry(at + 1));
    await store().checkAndPut(row, undefined, head(10), entries);
    const seqs = async (fromSeq: number, toSeq: number) =>
      (await store().get(row, { entries: { fromSeq, toSeq } })).entries.map((found) => found.seq);
    assert.deepEqual(await seqs(3, 5), [3, 4, 5]);
    assert.deepEqual(await seqs(10, 10), [10]);
    assert.deepEqual(await seqs(9, 99), [9, 10]);
    assert.deepEqual(await seqs(0, 1), [1]);
    assert.deepEqual(await seqs(11, 20), []);
    assert.deepEqual(await seqs(5, 4), []);
  });

  it("reads keys without values", async () => {
    const row = freshRow();
    const entries = Array.from({ length: 512 }, (_, at) => entry(at + 1, 1024));
    await store().checkAndPut(row, undefined, head(512), entries);
    const query = { head: true, entries: { fromSeq: 1, toSeq: 512, keysOnly: true } };
    const read = await store().get(row, query);
    assert.deepEqual(
      plainEntries(read.entries),
      entries.map((full) => ({ ...full, value: new Uint8Array(0) })),
    );
  });

  it("sees every write that was answered before it starts", async () => {
    const rows = Array.from({ length: 8 }, freshRow);
    const append = async (row: RowKey) => {
      for (let seq = 1; seq <= 10; seq++) {
        const expected = seq === 1 ? undefined : head(seq - 1);
        assert.equal(await store().checkAndPut(row, expected, head(seq), [entry(seq)]), true);
        const read = await readAll(store(), row);
        assert.deepEqual([read.head, read.entries.length], [plain(head(seq)), seq]);
      }
    };
    await Promise.all(rows.map(append));
  });
}

function freshRow(): RowKey {
  return { threadId: new Uint8Array(randomBytes(16)), bucket: 0 };
}

function head(seq: number): Uint8Array {
  return encodeHead({ seq, ordinal: seq, membersSeq: 0, epoch: 0 });
}

function tagOf(byte: number): Uint8Array {
  return new Uint8Array(8).fill(byte);
}

/** An entry whose tag and value follow from its seq. */
function entry(seq: number, valueBytes = 16): EntryCellPut {
  return { seq, tag: tagOf(seq % 256), value: new Uint8Array(valueBytes).fill(seq % 251) };
}

function cell(qualifier: readonly number[], timestamp: number, value: string): VersionedCell {
  return { qualifier: Uint8Array.from(qualifier), timestamp, value: new TextEncoder().encode(value) };
}

/** A copy whose type is exactly Uint8Array: stores may hand out Buffers, which deepEqual tells apart. */
function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function plainEntries(entries: readonly EntryCellPut[]): EntryCellPut[] {
  return entries.map(({ seq, tag, value }) => ({ seq, tag: plain(tag), value: plain(value) }));
}

async function readAll(store: MessageStore, row: RowKey) {
  const all = { fromSeq: 0, toSeq: MAX_SEQ };
  const [x, r] = await Promise.all([
    store.get(row, { head: true, entries: all, family: "x" }),
    store.get(row, { family: "r" }),
  ]);
  const texts = (cells: readonly VersionedCell[]) =>
    cells.map((found) => {
      const name = Buffer.from(found.qualifier).toString("hex");
      return `${name}@${found.timestamp}=${Buffer.from(found.value)}`;
    });
  return {
    head: x.head && plain(x.head),
    entries: plainEntries(x.entries),
    x: texts(x.cells),
    r: texts(r.cells),
  };
}

/** A repeatable source of numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
