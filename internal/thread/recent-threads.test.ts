import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { hex } from "../base/ids.ts";
import { directThreadId } from "../base/thread-id.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { RecentThreads } from "./recent-threads.ts";

const NONE = new Uint8Array(0);

describe("A page of ListThreads", () => {
  let clock: FakeClock;
  let store: SqliteThreadStore;
  let recent: RecentThreads;
  /** Whether the entry of each such thread is a message, or a void. */
  let isMessage: boolean;
  /** When each thread with entries had its last one. */
  const lastEntry = new Map<string, number>();

  beforeEach(() => {
    clock = new FakeClock();
    store = new SqliteThreadStore({ path: ":memory:", clock });
    lastEntry.clear();
    isMessage = true;
    const head = (key: string) => ({
      seq: lastEntry.has(key) ? 1 : 0,
      ordinal: isMessage && lastEntry.has(key) ? 1 : 0,
    });
    recent = new RecentThreads({
      rows: store,
      heads: {
        heads: async (threads) =>
          new Map(threads.map(({ threadId }) => [hex(threadId), head(hex(threadId))])),
        entryTimes: async (entries) =>
          new Map(entries.flatMap(({ threadId }) => timeOf(hex(threadId)).map((at) => [hex(threadId), at]))),
      },
      clock,
    });
  });
  afterEach(() => store.close());

  const timeOf = (key: string) => [lastEntry.get(key)].filter((at) => at !== undefined);

  /** An entry, with a touch before it or under an earlier one. */
  async function post(other: string, { isTouched }: { isTouched: boolean }): Promise<void> {
    const threadId = directThreadId("ann", other);
    if (isTouched) await store.touch([{ threadId, ownerIds: ["ann"], headBucket: 0 }]);
    lastEntry.set(hex(threadId), clock.nowMs());
  }

  async function thread(other: string, hasEntries: boolean): Promise<void> {
    const id = directThreadId("ann", other);
    clock.advance(1000);
    await store.createDirect(id, ["ann", other]);
    if (hasEntries) lastEntry.set(hex(id), clock.nowMs());
  }

  async function listAll(pageSize: number): Promise<{ names: string[]; pages: number }> {
    const names: string[] = [];
    let token: Uint8Array = NONE;
    for (let pages = 1; ; pages++) {
      const page = await recent.page("ann", token, pageSize);
      assert.ok(page.threads.length <= pageSize);
      names.push(...page.threads.map(({ row }) => row.participants[1] ?? ""));
      token = page.nextPageToken;
      if (token.length === 0) return { names, pages };
    }
  }

  it("leaves out a direct thread in which there is only a void: nobody has written there", async () => {
    await thread("bob", true);
    isMessage = false;
    assert.deepEqual((await listAll(2)).names, []);
  });

  it("has the most recently active first", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other, true);
    clock.advance(1000);
    await post("bob", { isTouched: true });
    clock.advance(1000);
    await post("cid", { isTouched: true });
    assert.deepEqual((await listAll(2)).names, ["cid", "bob", "dan"]);
  });

  it("has first what an entry under an earlier touch has made the most recent", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other, true);
    clock.advance(44_000);
    await post("bob", { isTouched: false });
    for (const pageSize of [50, 1, 2, 3])
      assert.deepEqual((await listAll(pageSize)).names, ["bob", "dan", "cid"]);
    const { threads } = await recent.page("ann", NONE, 1);
    assert.equal(threads[0]?.row.updatedAtMs, clock.nowMs());
  });

  it("leaves a thread in its place that was touched for an entry that did not come", async () => {
    for (const other of ["bob", "cid", "dan"]) await thread(other, true);
    clock.advance(600_000);
    await thread("eve", true);
    await store.touch([{ threadId: directThreadId("ann", "bob"), ownerIds: ["ann"], headBucket: 0 }]);
    for (const pageSize of [50, 1, 2, 3]) {
      assert.deepEqual((await listAll(pageSize)).names, ["eve", "dan", "cid", "bob"]);
    }
  });

  it("has each thread once, however long one takes from page to page", async () => {
    for (const other of ["bob", "cid", "dan", "eve"]) await thread(other, true);
    clock.advance(44_000);
    for (const other of ["bob", "cid"]) {
      clock.advance(1);
      await post(other, { isTouched: false });
    }
    const names: string[] = [];
    for (let token: Uint8Array = NONE, pages = 0; pages === 0 || token.length > 0; pages++) {
      const page = await recent.page("ann", token, 1);
      names.push(...page.threads.map(({ row }) => row.participants[1] ?? ""));
      token = page.nextPageToken;
      clock.advance(20_000);
    }
    assert.deepEqual(names, ["cid", "bob", "eve", "dan"]);
  });

  it("places 1,000 threads of one minute by their entries, and goes on with the others", async () => {
    const names = Array.from({ length: 1_300 }, (_, at) => `u${String(at).padStart(4, "0")}`);
    for (const other of names) {
      clock.advance(10);
      const id = directThreadId("ann", other);
      await store.createDirect(id, ["ann", other]);
      lastEntry.set(hex(id), clock.nowMs());
    }
    clock.advance(1_000);
    await post("u1299", { isTouched: false });
    await post("u0600", { isTouched: false });
    clock.advance(1);
    await post("u0700", { isTouched: false });
    const found = (await listAll(200)).names;
    assert.deepEqual([found.length, new Set(found).size], [1_300, 1_300]);
    assert.equal(found[0], "u0700");
    assert.deepEqual(found.slice(1, 3).sort(), ["u0600", "u1299"]);
  });

  it("is filled over threads without entries", async () => {
    for (let at = 0; at < 12; at++) await thread(`u${String(at).padStart(2, "0")}`, at % 2 === 0);
    assert.deepEqual(await listAll(3), { names: ["u10", "u08", "u06", "u04", "u02", "u00"], pages: 3 });
  });

  it("comes short, with a token, rather than read on for ever", async () => {
    for (let at = 0; at < 30; at++) await thread(`u${at}`, at === 0);
    clock.advance(120_000);
    const { names, pages } = await listAll(2);
    assert.deepEqual(names, ["u0"]);
    assert.ok(pages > 1 && pages <= 5);
  });

  it("has large groups by their activity, and groups that were left", async () => {
    await thread("bob", true);
    for (const number of [2, 4]) {
      const threadId = new Uint8Array(16).fill(number);
      clock.advance(1000);
      const entry = {
        ...{ threadId, seq: 1, ordinal: 0, previousSeq: 0, createdAtMs: 0, sender: "ann", memberCount: 1 },
        ...{ requestId: threadId, name: `group ${number}`, removed: [], changed: [], isLarge: number === 2 },
        added: [{ userId: "ann", role: "owner" as const }],
      };
      await store.project(entry, 0);
      lastEntry.set(hex(threadId), clock.nowMs());
      if (number !== 4) continue;
      const requestId = new Uint8Array(16);
      await store.project({ ...entry, seq: 2, previousSeq: 1, requestId, added: [], removed: ["ann"] }, 0);
    }
    const list = async () =>
      (await recent.page("ann", NONE, 0)).threads.map(({ row }) => row.group?.name ?? row.participants[1]);
    assert.deepEqual(await list(), ["group 4", "group 2", "bob"]);
    clock.advance(1000);
    await store.noteActivity(new Uint8Array(16).fill(2), 0);
    lastEntry.set(hex(new Uint8Array(16).fill(2)), clock.nowMs());
    assert.deepEqual(await list(), ["group 2", "group 4", "bob"]);
    clock.advance(30_000);
    await post("bob", { isTouched: false });
    assert.deepEqual(await list(), ["bob", "group 2", "group 4"]);
    clock.advance(1);
    lastEntry.set(hex(new Uint8Array(16).fill(2)), clock.nowMs());
    assert.deepEqual(await list(), ["group 2", "bob", "group 4"]);
  });

  it("is empty for a user without threads", async () => {
    assert.deepEqual(await recent.page("nobody", NONE, 0), { threads: [], nextPageToken: NONE });
  });

  it("is refused for a token that is none", async () => {
    const isMalformed = (error: unknown) =>
      error instanceof HeddleError && error.reason === ErrorReason.TOKEN_MALFORMED;
    await assert.rejects(recent.page("ann", Uint8Array.of(1, 2, 3), 0), isMalformed);
  });
});
