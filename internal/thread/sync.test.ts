import assert from "node:assert/strict";
import type { RosterEntry } from "../base/group.ts";
import { hex } from "../base/ids.ts";
import { directThreadId } from "../base/thread-id.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import type { HistoryMark } from "../store/thread-store.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { encodeToken, TokenKind } from "./opaque-token.ts";
import type { Heads } from "./ports.ts";
import { Sync } from "./sync.ts";
import { decodeCursor, decodePageToken, encodeCursor } from "./sync-tokens.ts";

const NONE = new Uint8Array(0);

describe("A page of Sync", () => {
  let clock: FakeClock;
  let store: SqliteThreadStore;
  let headReads: number;
  let whileRead: (() => Promise<void>) | undefined;
  const seqs = new Map<string, number>();

  beforeEach(() => {
    clock = new FakeClock();
    store = new SqliteThreadStore({ path: ":memory:", clock });
    headReads = 0;
    whileRead = undefined;
    seqs.clear();
  });
  afterEach(() => store.close());

  const heads: Heads = {
    async heads(threads) {
      headReads++;
      await whileRead?.();
      whileRead = undefined;
      return new Map(
        threads.map(({ threadId }) => {
          const seq = seqs.get(hex(threadId)) ?? 0;
          return [hex(threadId), { seq, ordinal: seq }];
        }),
      );
    },
  };

  async function thread(other: string, seq = 1): Promise<Uint8Array> {
    const id = directThreadId("ann", other);
    await store.createDirect(id, ["ann", other]);
    seqs.set(hex(id), seq);
    return id;
  }

  function sync(cursor: Uint8Array = NONE, token: Uint8Array = NONE, pageSize = 0) {
    return new Sync({ rows: store, heads }).page("ann", cursor, token, pageSize);
  }

  it("lists everything without a cursor, the oldest change first, with heads", async () => {
    const bob = await thread("bob", 3);
    await thread("cid", 4);
    await store.touch([{ threadId: bob, ownerIds: ["ann"], headBucket: 0 }]);
    const { threads, nextPageToken } = await sync();
    assert.deepEqual(
      threads.map(({ row, head }) => [row.participants[1], head.seq]),
      [
        ["cid", 4],
        ["bob", 3],
      ],
    );
    assert.equal(nextPageToken.length, 0);
  });

  it("gives the counter and the store's time as cursor, on the last page only", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other);
    const startMs = clock.nowMs();
    const first = await sync(NONE, NONE, 2);
    assert.equal(first.cursor.length, 0);
    clock.advance(90_000);
    const last = await sync(NONE, first.nextPageToken, 2);
    assert.equal(last.nextPageToken.length, 0);
    const cursor = decodeCursor(last.cursor);
    assert.deepEqual([cursor?.version, cursor?.atMs], [3, startMs]);
  });

  it("lists afterwards only what is newer or was active", async () => {
    const bob = await thread("bob");
    await thread("cid");
    clock.advance(3_600_000);
    const { cursor } = await sync();
    assert.deepEqual((await sync(cursor)).threads, []);
    await store.touch([{ threadId: bob, ownerIds: ["ann"], headBucket: 0 }]);
    const changed = await sync(cursor);
    assert.deepEqual(
      changed.threads.map(({ row }) => row.participants[1]),
      ["bob"],
    );
    clock.advance(30_000);
    const again = await sync(changed.cursor); // Active: entries may have come without another touch.
    assert.deepEqual(
      again.threads.map(({ row }) => row.participants[1]),
      ["bob"],
    );
    clock.advance(61_000);
    assert.deepEqual((await sync((await sync(again.cursor)).cursor)).threads, []);
  });

  it("leaves out direct threads without entries", async () => {
    await thread("bob", 0);
    await thread("cid", 1);
    const { threads } = await sync();
    assert.deepEqual(
      threads.map(({ row }) => row.participants[1]),
      ["cid"],
    );
  });

  it("reads no heads where there are no rows", async () => {
    assert.deepEqual((await sync()).threads, []);
    assert.equal(headReads, 0);
  });

  it("begins anew for a cursor of another era, and keeps to that over its pages", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other);
    clock.advance(3_600_000);
    const held = decodeCursor((await sync()).cursor);
    assert.ok(held);
    const foreign = encodeCursor({ ...held, era: held.era + 1 });
    const first = await sync(foreign, NONE, 2);
    const last = await sync(foreign, first.nextPageToken, 2);
    assert.equal(first.threads.length + last.threads.length, 3);
    assert.deepEqual(decodeCursor(last.cursor)?.era, held.era);
  });

  it("begins anew for a cursor beyond the store's mark, and for one of before there were eras", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other);
    clock.advance(3_600_000);
    const held = decodeCursor((await sync()).cursor);
    assert.ok(held);
    assert.equal((await sync(encodeCursor({ ...held, mark: held.mark + 1 }))).threads.length, 3);
    const old = encodeToken(TokenKind.epochCursor, [held.era, held.version, held.atMs]);
    assert.equal((await sync(old)).threads.length, 3);
  });

  it("begins anew for a page token of an era that has ended", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other);
    const token = (await sync(NONE, NONE, 2)).nextPageToken;
    await store.close();
    store = new SqliteThreadStore({ path: ":memory:", clock }); // Another database.
    await thread("eve");
    const anew = await sync(NONE, token, 2);
    assert.deepEqual(
      anew.threads.map(({ row }) => row.participants[1]),
      ["eve"],
    );
  });

  it("begins anew where another database took over just before the page was read", async () => {
    const other = new SqliteThreadStore({ path: ":memory:", clock });
    await other.createDirect(directThreadId("ann", "eve"), ["ann", "eve"]);
    seqs.set(hex(directThreadId("ann", "eve")), 1);
    for (const user of ["bob", "cid", "dan"]) await thread(user);
    clock.advance(3_600_000);
    const { cursor } = await sync();
    let knower = store;
    const rows = {
      knows: (state: HistoryMark) => knower.knows(state),
      get: other.get.bind(other),
      sync(...args: Parameters<SqliteThreadStore["sync"]>) {
        knower = other;
        return other.sync(...args);
      },
    };
    const page = await new Sync({ rows, heads }).page("ann", cursor, NONE, 0);
    assert.deepEqual(
      page.threads.map(({ row }) => row.participants[1]),
      ["eve"],
    );
    await other.close();
  });

  it("takes at most 200 rows, also if asked for more", async () => {
    for (let at = 0; at < 201; at++) await thread(`u${at}`);
    const { threads, nextPageToken } = await sync(NONE, NONE, 1000);
    assert.equal(threads.length, 200);
    assert.equal(decodePageToken(nextPageToken)?.afterVersion, 200);
  });

  it("takes the earliest of its pages' times when the store's clock is set back between them", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other);
    const first = await sync(NONE, NONE, 2);
    clock.jumpWall(-600_000);
    const last = await sync(NONE, first.nextPageToken, 2);
    assert.equal(decodeCursor(last.cursor)?.atMs, clock.nowMs());
  });

  describe("with groups", () => {
    /** A group of ann's, made at seq 1; `number` tells its id from others. */
    async function group(number: number, parts: Partial<RosterEntry> = {}): Promise<Uint8Array> {
      const threadId = new Uint8Array(16).fill(number);
      const entry: RosterEntry = {
        threadId,
        seq: 1,
        ordinal: 0,
        previousSeq: 0,
        createdAtMs: 0,
        sender: "ann",
        requestId: new Uint8Array(16),
        name: "Group",
        added: [{ userId: "ann", role: "owner" }],
        removed: [],
        changed: [],
        memberCount: 1,
        isLarge: true,
        ...parts,
      };
      assert.equal(await store.project(entry, 0), entry.seq);
      seqs.set(hex(threadId), Math.max(entry.seq, seqs.get(hex(threadId)) ?? 0));
      return threadId;
    }

    const leave = { seq: 5, ordinal: 3, previousSeq: 1, added: [], removed: ["ann"], memberCount: 0 };
    const ids = (threads: readonly { row: { threadId: Uint8Array } }[]) =>
      threads.map(({ row }) => row.threadId[0]);

    it("lists every large group each time, after what has changed, with heads read now", async () => {
      for (const number of [6, 2, 4]) await group(number);
      await group(8, { isLarge: false });
      clock.advance(3_600_000);
      const { cursor, threads } = await sync();
      assert.deepEqual(ids(threads), [6, 2, 4, 8]); // All are new: by version.
      clock.advance(61_000);
      const at = (await sync(cursor)).cursor;
      seqs.set(hex(new Uint8Array(16).fill(4)), 9);
      const again = await sync(at);
      assert.deepEqual(ids(again.threads), [2, 4, 6]);
      assert.deepEqual(again.threads[1]?.head.seq, 9);
      assert.deepEqual(again.cursor, at);
    });

    it("lists them in pages of which none has more than it may", async () => {
      for (let number = 2; number <= 10; number += 2) await group(number);
      clock.advance(3_600_000);
      const { cursor } = await sync();
      await store.setMuted("ann", new Uint8Array(16).fill(6), true);
      const pages: (number | undefined)[][] = [];
      for (let token: Uint8Array = NONE; ; ) {
        const page = await sync(cursor, token, 2);
        pages.push(ids(page.threads));
        token = page.nextPageToken;
        if (token.length > 0) continue;
        assert.equal(decodeCursor(page.cursor)?.version, 6);
        break;
      }
      assert.deepEqual(pages, [[6, 2], [4, 8], [10]]);
    });

    it("lists one that is left between two pages on the next, with the head of the leaving entry", async () => {
      for (const number of [2, 4]) await group(number);
      clock.advance(3_600_000);
      const { cursor } = await sync();
      const first = await sync(cursor, NONE, 1);
      assert.deepEqual(ids(first.threads), [2]);
      await group(4, leave);
      seqs.set(hex(new Uint8Array(16).fill(4)), 30);
      const second = await sync(cursor, first.nextPageToken, 1);
      assert.deepEqual(ids(second.threads), [4]);
      assert.deepEqual(second.threads[0]?.head, { seq: 5, ordinal: 3 });
      assert.equal(second.threads[0]?.row.group?.role, undefined);
      assert.equal(second.nextPageToken.length, 0);
    });

    it("names no head above the leaving entry of one that is left while heads are read", async () => {
      const threadId = await group(2, { isLarge: false });
      whileRead = async () => {
        await group(2, leave);
        seqs.set(hex(threadId), 30);
      };
      const { threads, cursor } = await sync();
      assert.deepEqual(threads[0]?.head, { seq: 5, ordinal: 3 });
      assert.deepEqual(ids((await sync(cursor)).threads), [2], "its row is new to the next");
    });

    it("lists one that has become large since the sync before", async () => {
      await group(2, { isLarge: false });
      await group(4);
      clock.advance(3_600_000);
      const { cursor } = await sync();
      const first = await sync(cursor, NONE, 1);
      assert.deepEqual(ids(first.threads), [4]);
      assert.equal(first.nextPageToken.length, 0);
      await group(2, { seq: 2, previousSeq: 1, added: [], isLarge: true });
      assert.deepEqual(ids((await sync(first.cursor)).threads), [2, 4]);
    });
  });
});
