import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MAX_CHANGE, MAX_MEMBERS, type Member } from "../../base/group.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { DataFolderError } from "../data-folder-error.ts";
import { threadStoreSuite } from "../thread-store.suite.ts";
import { MIGRATIONS } from "./migrations.ts";
import { SqliteThreadStore } from "./sqlite-thread-store.ts";

threadStoreSuite("SqliteThreadStore, two handles on one file,", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-sqlite-"));
  const clock = new FakeClock();
  const slow = new FakeClock(clock.nowMs() - 20_000);
  const shared = { path: join(folder, "threads.db"), isShared: true, storeNowMs: () => clock.nowMs() };
  const open = () =>
    [new SqliteThreadStore({ ...shared, clock }), new SqliteThreadStore({ ...shared, clock: slow })] as const;
  let stores = open();
  const closeAll = () => Promise.all(stores.map((store) => store.close()));
  return {
    stores,
    clock,
    writes: async () => (await stores[0].sync("nobody", undefined, 0, 1)).state.mark,
    settle: () => Promise.all(stores.map((store) => store.flush())),
    async reopen() {
      await closeAll();
      stores = open();
      return stores;
    },
    async close() {
      await closeAll();
      await rm(folder, { recursive: true });
    },
  };
});

describe("SqliteThreadStore", () => {
  it("opens no file in which a page is damaged", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-sqlite-"));
    const path = join(folder, "threads.db");
    const clock = new FakeClock();
    await new SqliteThreadStore({ path, clock }).close();
    const db = new DatabaseSync(path);
    const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'device'").get()?.rootpage;
    const pageBytes = db.prepare("PRAGMA page_size").get()?.page_size;
    db.close();
    const bytes = await readFile(path);
    const at = (Number(root) - 1) * Number(pageBytes);
    bytes[at] = (bytes[at] ?? 0) ^ 1; // What kind of page it is.
    await writeFile(path, bytes);
    assert.throws(
      () => new SqliteThreadStore({ path, clock }),
      (error) => error instanceof DataFolderError && /is damaged.*admin verify/.test(error.message),
    );
    await rm(folder, { recursive: true });
  });

  it("opens a file of before there were groups, with all its rows", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-sqlite-"));
    const path = join(folder, "threads.db");
    const db = new DatabaseSync(path);
    for (const step of MIGRATIONS.slice(0, 2)) db.exec(step);
    const id = directThreadId("ann", "bob");
    db.prepare("INSERT INTO thread VALUES (?, ?, 'direct', 'bob', 1, 2, 1, 0, 5, 4, 3, 9, 7)").run("ann", id);
    db.exec("PRAGMA user_version = 2");
    db.close();
    const store = new SqliteThreadStore({ path, clock: new FakeClock() });
    const [row] = await store.get("ann", [id]);
    assert.deepEqual(
      [row?.participants, row?.readSeq, row?.version, row?.isMuted],
      [["ann", "bob"], 5, 9, true],
    );
    assert.deepEqual([row?.group, row?.isBlocked], [undefined, false]);
    await store.close();
    await rm(folder, { recursive: true });
  });

  it("holds a group of 10,000 members, filled by 256 a call", async () => {
    const store = new SqliteThreadStore({ path: ":memory:", clock: new FakeClock() });
    const threadId = new Uint8Array(16).fill(2);
    let memberCount = 0;
    for (let seq = 1; memberCount < MAX_MEMBERS; seq++) {
      const added: Member[] = [];
      while (added.length < MAX_CHANGE && memberCount < MAX_MEMBERS) {
        added.push({ userId: `user-${memberCount++}`, role: "member" });
      }
      const entry = {
        threadId,
        seq,
        ordinal: 0,
        previousSeq: seq - 1,
        createdAtMs: 0,
        sender: "user-0",
        requestId: new Uint8Array(16).fill(seq),
        name: seq === 1 ? "All" : undefined,
        added,
        removed: [],
        changed: [],
        memberCount,
        isLarge: memberCount > 256,
      };
      assert.equal(await store.project(entry, 0), seq);
    }
    const roster = await store.roster(threadId);
    assert.deepEqual([roster?.members.size, roster?.isLarge, roster?.appliedSeq], [MAX_MEMBERS, true, 40]);
    assert.deepEqual([...(roster?.members.keys() ?? [])].slice(0, 2), ["user-0", "user-1"]);
    const [first] = await store.rowsOf(threadId, ["user-0"]);
    assert.deepEqual(
      [first?.group?.memberCount, first?.group?.isLarge, first?.version],
      [MAX_MEMBERS, true, 2],
    );
    await store.close();
  });
});
