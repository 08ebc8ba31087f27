import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { directThreadId } from "../base/thread-id.ts";
import { blockStoreTests } from "./block-store.suite.ts";
import type { BlockStore } from "./block-store.ts";
import { deviceStoreTests, type StoreClock } from "./device-store.suite.ts";
import { groupStoreTests } from "./group-store.suite.ts";
import type { GroupStore } from "./group-store.ts";
import { inTurn } from "./in-turn.ts";
import { profileStoreTests } from "./profile-store.suite.ts";
import type { ProfileStore } from "./profile-store.ts";
import { severalProgramsTests } from "./several-programs.suite.ts";
import { sightStoreTests } from "./sight-store.suite.ts";
import type { SightStore } from "./sight-store.ts";
import {
  ACTIVE_MS,
  type DeviceStore,
  type SyncPage,
  type ThreadRow,
  type ThreadStore,
  type VisibilityStore,
} from "./thread-store.ts";
import { visibilityStoreTests } from "./visibility-store.suite.ts";

export type Stores = ThreadStore &
  GroupStore &
  BlockStore &
  DeviceStore &
  VisibilityStore &
  SightStore &
  ProfileStore;

export interface OpenedThreadStore {
  /** Those of two programs on one database, the second one's clock 20 s slow. */
  readonly stores: readonly [Stores, Stores];
  /** The store's clock, moved by the tests. Starts anywhere. */
  readonly clock: StoreClock;
  /** How many transactions that wrote there have been. */
  writes(): Promise<number>;
  /** Resolves once what nobody waits for is in the rows. */
  settle(): Promise<unknown>;
  /** Closes the stores and opens them again on the same data. */
  reopen(): Promise<readonly [Stores, Stores]>;
  close(): Promise<void>;
}

/** A direct thread between two users of its own, so that tests do not meet. */
interface Pair {
  readonly a: string;
  readonly b: string;
  readonly id: Uint8Array;
}

/**
 * What every store of threads, groups, blocks, devices and visibility must do. Every test works with users of its own,
 * so a store with other data will do. Calls go to the stores of two programs in turn.
 */
export function threadStoreSuite(name: string, open: () => Promise<OpenedThreadStore>): void {
  describe(`${name} as the store of threads`, function () {
    this.timeout(60_000); // Hundreds of calls to a database on another core.
    let opened: OpenedThreadStore;
    let stores: readonly [Stores, Stores];
    let store: Stores;
    before(async () => {
      opened = await open();
      stores = opened.stores;
      store = inTurn(stores);
    });
    after(() => opened.close());
    const current = () => ({ ...opened, stores, store });

    describe("createDirect", () => createTests(current));
    describe("touch", () => touchTests(current));
    describe("list", () => listTests(current));
    describe("sync", () => syncTests(current));
    describe("marks", () => markTests(current));
    describe("groups", () => groupStoreTests(current));
    describe("blocks", () => blockStoreTests(current));
    describe("sight", () => sightStoreTests(current));
    describe("profiles", () => profileStoreTests(current));
    describe("devices", () => deviceStoreTests(current));
    describe("visibility", () => visibilityStoreTests(current));
    describe("two programs", () => severalProgramsTests(current));

    it("keeps rows, versions, devices, visibility and its history over a close", async () => {
      const pair = await made(store);
      await store.openDevice(pair.a, "phone");
      await store.setVisibility(pair.a, "nobody");
      const before = await syncAll(store, pair.a);
      stores = await opened.reopen();
      store = inTurn(stores);
      const after = await syncAll(store, pair.a);
      assert.deepEqual({ ...after, state: before.state }, before);
      const { era, mark } = before.state;
      assert.equal(await store.knows({ era, mark }), true);
      assert.equal(await store.knows({ era, mark: mark + 2 ** 40 }), false, "beyond what its era came to");
      assert.equal(await store.knows({ era: era + 1, mark: 1 }), false, "an era that nobody began");
      assert.equal((await store.listDevices(pair.a)).length, 1);
      assert.equal(await store.readVisibility(pair.a), "nobody");
      await store.touch([{ threadId: pair.id, ownerIds: [pair.a], headBucket: 0 }]);
      assert.ok((await syncAll(store, pair.a)).version > before.version);
    });
  });
}

type Current = () => { store: Stores; clock: StoreClock };

function createTests(current: Current): void {
  it("writes a row for each of the two", async () => {
    const { store, clock } = current();
    const pair = await made(store);
    for (const owner of [pair.a, pair.b]) {
      assert.deepEqual(await rowOf(store, owner, pair), {
        ownerId: owner,
        threadId: pair.id,
        kind: "direct",
        participants: [pair.a, pair.b],
        createdAtMs: clock.nowMs(),
        updatedAtMs: clock.nowMs(),
        isMuted: false,
        isBlocked: false,
        group: undefined,
        readSeq: 0,
        readOrdinal: 0,
        headBucket: 0,
        version: 1,
        activeUntilMs: clock.nowMs() + ACTIVE_MS,
      });
    }
  });

  it("leaves rows that exist as they are, and takes no version for them", async () => {
    const { store, clock } = current();
    const pair = await made(store);
    await store.setMuted(pair.a, pair.id, true);
    const before = await rowOf(store, pair.a, pair);
    await clock.jumpWall(5_000);
    await store.createDirect(pair.id, [pair.a, pair.b]);
    assert.deepEqual(await rowOf(store, pair.a, pair), before);
    assert.equal((await syncAll(store, pair.a)).version, 2);
  });

  it("gives others nothing", async () => {
    const { store } = current();
    const pair = await made(store);
    assert.deepEqual(await store.get(freshUser(), [pair.id]), []);
    assert.deepEqual(await store.get(pair.a, [new Uint8Array(16)]), []);
  });

  it("makes each row once when many make it at the same time", async () => {
    const { store } = current();
    const pair = freshPair();
    await Promise.all(Array.from({ length: 20 }, () => store.createDirect(pair.id, [pair.a, pair.b])));
    assert.equal((await syncAll(store, pair.a)).version, 1);
  });
}

function touchTests(current: Current): void {
  it("sets updated_at, active_until and head_bucket, and takes a version", async () => {
    const { store, clock } = current();
    const pair = await made(store);
    await clock.jumpWall(1_000);
    await store.touch([{ threadId: pair.id, ownerIds: [pair.b, pair.a], headBucket: 3 }]);
    for (const owner of [pair.a, pair.b]) {
      const row = await rowOf(store, owner, pair);
      assert.deepEqual(
        [row.updatedAtMs, row.activeUntilMs, row.headBucket, row.version],
        [clock.nowMs(), clock.nowMs() + ACTIVE_MS, 3, 2],
      );
    }
  });

  it("touches the owners it names and no others", async () => {
    const { store } = current();
    const pair = await made(store);
    await store.touch([{ threadId: pair.id, ownerIds: [pair.a], headBucket: 0 }]);
    assert.equal((await rowOf(store, pair.a, pair)).version, 2);
    assert.equal((await rowOf(store, pair.b, pair)).version, 1);
  });

  it("never lowers head_bucket or updated_at, even when the clock goes back", async () => {
    const { store, clock } = current();
    const pair = await made(store);
    await store.touch([{ threadId: pair.id, ownerIds: [pair.a], headBucket: 7 }]);
    const before = await rowOf(store, pair.a, pair);
    await clock.jumpWall(-30_000);
    await store.touch([{ threadId: pair.id, ownerIds: [pair.a], headBucket: 2 }]);
    const row = await rowOf(store, pair.a, pair);
    assert.deepEqual([row.headBucket, row.updatedAtMs], [7, before.updatedAtMs]);
    assert.equal(row.version, before.version + 1);
    await clock.jumpWall(30_000);
  });

  it("leaves alone what has no row, and takes no version for it", async () => {
    const { store } = current();
    const pair = await made(store);
    await store.touch([
      { threadId: new Uint8Array(16), ownerIds: [pair.a], headBucket: 0 },
      { threadId: pair.id, ownerIds: [freshUser()], headBucket: 0 },
    ]);
    assert.equal((await syncAll(store, pair.a)).version, 1);
  });

  it("gives every row of an owner a version of its own, also when several touch at the same time", async () => {
    const { store } = current();
    const owner = freshUser();
    const pairs = await Promise.all(Array.from({ length: 12 }, () => madeWith(store, owner)));
    const touches = pairs.map((pair) => ({ threadId: pair.id, ownerIds: [pair.a, pair.b], headBucket: 0 }));
    await Promise.all([...touches.map((touch) => store.touch([touch])), store.touch(touches)]);
    const page = await syncAll(store, owner);
    const versions = page.rows.map((row) => row.version);
    assert.equal(new Set(versions).size, 12);
    assert.equal(page.version, 36);
    assert.ok(versions.every((version) => version <= page.version));
  });
}

function listTests(current: Current): void {
  it("lists by recency, the latest first, in pages without repeats", async () => {
    const { store, clock } = current();
    const owner = freshUser();
    const pairs: Pair[] = [];
    for (let at = 0; at < 7; at++) {
      if (at % 2 === 0) await clock.jumpWall(10); // Pairs of rows have equal times.
      pairs.push(await madeWith(store, owner));
    }
    const listed: ThreadRow[] = [];
    for (;;) {
      const last = listed.at(-1);
      const page = await store.list(owner, 3, last);
      if (page.length === 0) break;
      listed.push(...page);
    }
    assert.equal(new Set(listed.map((row) => Buffer.from(row.threadId).toString("hex"))).size, pairs.length);
    const sorted = [...listed].sort(
      (x, y) => y.updatedAtMs - x.updatedAtMs || Buffer.compare(y.threadId, x.threadId),
    );
    assert.deepEqual(listed, sorted);
  });
}

function syncTests(current: Current): void {
  it("gives all rows without a cursor, by version, and the counter", async () => {
    const { store, clock } = current();
    const owner = freshUser();
    const pairs = [await madeWith(store, owner), await madeWith(store, owner), await madeWith(store, owner)];
    await touched(store, pairs[0] as Pair);
    const page = await syncAll(store, owner);
    assert.deepEqual(
      page.rows.map((row) => row.version),
      [2, 3, 4],
    );
    assert.deepEqual([page.version, page.nowMs, page.hasMore], [4, clock.nowMs(), false]);
    assert.ok(page.state.era > 0 && page.state.era < 2 ** 48);
    assert.ok(page.state.mark >= 3);
  });

  it("gives nothing to a user without rows", async () => {
    const page = await syncAll(current().store, freshUser());
    assert.deepEqual([page.rows, page.version, page.hasMore], [[], 0, false]);
  });

  it("gives the rows that are newer than the cursor or were active at its time", async () => {
    const { store, clock } = current();
    const owner = freshUser();
    const [, active, newer] = [
      await madeWith(store, owner),
      await madeWith(store, owner),
      await madeWith(store, owner),
    ];
    await clock.jumpWall(2 * ACTIVE_MS);
    await touched(store, active as Pair); // Version 4, active until now + 60 s.
    await touched(store, newer as Pair); // Version 5.
    const at = (atMs: number, version: number) => store.sync(owner, { version, atMs }, 0, 10);
    const versions = (page: SyncPage) => page.rows.map((row) => row.version);
    assert.deepEqual(versions(await at(clock.nowMs() + ACTIVE_MS, 5)), [4, 5]); // The end itself is in.
    assert.deepEqual(versions(await at(clock.nowMs() + ACTIVE_MS + 1, 5)), []);
    assert.deepEqual(versions(await at(clock.nowMs() + ACTIVE_MS + 1, 4)), [5]);
    assert.deepEqual(versions(await at(0, 5)), [1, 4, 5]);
    assert.deepEqual(versions(await at(0, 0)), [1, 4, 5]);
  });

  it("gives pages that together are the whole", async () => {
    const { store } = current();
    const owner = freshUser();
    for (let at = 0; at < 7; at++) await madeWith(store, owner);
    for (const cursor of [
      undefined,
      { version: 4, atMs: 0 },
      { version: 2, atMs: Number.MAX_SAFE_INTEGER },
    ]) {
      const whole = await store.sync(owner, cursor, 0, 100);
      const rows: ThreadRow[] = [];
      for (;;) {
        const page = await store.sync(owner, cursor, rows.at(-1)?.version ?? 0, 2);
        assert.ok(page.rows.length <= 2);
        rows.push(...page.rows);
        if (!page.hasMore) break;
      }
      assert.deepEqual(rows, whole.rows);
      assert.equal(whole.hasMore, false);
    }
  });

  it("never shows a version above the counter it names, whatever is written meanwhile", async () => {
    const { store } = current();
    const owner = freshUser();
    const pairs = await Promise.all(Array.from({ length: 6 }, () => madeWith(store, owner)));
    let cursor = 0;
    const seen = new Set<number>();
    const write = async () => {
      for (let turn = 0; turn < 20; turn++) await Promise.all(pairs.map((pair) => touched(store, pair)));
    };
    const writing = write().then(() => true);
    for (let done = false; !done; ) {
      done = await Promise.race([writing, new Promise<false>((resolve) => setImmediate(resolve, false))]);
      const page = await store.sync(owner, { version: cursor, atMs: Number.MAX_SAFE_INTEGER }, 0, 100);
      for (const row of page.rows) {
        assert.ok(row.version <= page.version && row.version > cursor);
        seen.add(row.version);
      }
      cursor = page.version;
    }
    const last = (await syncAll(store, owner)).rows.map((row) => row.version);
    assert.ok(last.every((version) => seen.has(version) || version <= 6));
    assert.equal(cursor, 6 + 20 * 6);
  });
}

function markTests(current: Current): void {
  it("mutes one user's row and takes a version only for a change", async () => {
    const { store } = current();
    const pair = await made(store);
    const row = await store.setMuted(pair.a, pair.id, true);
    assert.deepEqual(row, await rowOf(store, pair.a, pair));
    assert.deepEqual([row?.isMuted, row?.version], [true, 2]);
    assert.equal((await store.setMuted(pair.a, pair.id, true))?.version, 2);
    assert.equal((await store.setMuted(pair.a, pair.id, false))?.version, 3);
    assert.equal((await rowOf(store, pair.b, pair)).version, 1);
    assert.equal(await store.setMuted(freshUser(), pair.id, true), undefined);
  });

  it("raises read positions and never lowers them", async () => {
    const { store } = current();
    const pair = await made(store);
    const raise = (readSeq: number, readOrdinal: number) =>
      store.raiseRead([{ ownerId: pair.a, threadId: pair.id, readSeq, readOrdinal }]);
    await raise(5, 4);
    await raise(3, 3);
    await raise(5, 4);
    const row = await rowOf(store, pair.a, pair);
    assert.deepEqual([row.readSeq, row.readOrdinal, row.version], [5, 4, 2]);
    assert.equal((await rowOf(store, pair.b, pair)).readSeq, 0);
    await store.raiseRead([{ ownerId: freshUser(), threadId: pair.id, readSeq: 1, readOrdinal: 1 }]);
  });
}

function freshUser(): string {
  return `u${randomBytes(6).toString("hex")}`;
}

function freshPair(a = freshUser()): Pair {
  const b = `v${randomBytes(6).toString("hex")}`; // Above every `a` in byte order.
  return { a, b, id: directThreadId(a, b) };
}

async function madeWith(store: ThreadStore, owner: string): Promise<Pair> {
  const pair = freshPair(owner);
  await store.createDirect(pair.id, [pair.a, pair.b]);
  return pair;
}

function made(store: ThreadStore): Promise<Pair> {
  return madeWith(store, freshUser());
}

function touched(store: ThreadStore, pair: Pair): Promise<void> {
  return store.touch([{ threadId: pair.id, ownerIds: [pair.a, pair.b], headBucket: 0 }]);
}

function syncAll(store: ThreadStore, owner: string): Promise<SyncPage> {
  return store.sync(owner, undefined, 0, 1000);
}

async function rowOf(store: ThreadStore, owner: string, pair: Pair): Promise<ThreadRow> {
  const [row] = await store.get(owner, [pair.id]);
  assert.ok(row);
  return row;
}
