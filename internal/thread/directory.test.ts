import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hex } from "../base/ids.ts";
import { directThreadId, groupThreadId } from "../base/thread-id.ts";
import { MIGRATIONS } from "../store/sqlite/migrations.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { Directory } from "./directory.ts";

/** The migrations of commit 043988e. */
const BEFORE_SIGHT = 3;

describe("Directory over rows that do not say who has written", () => {
  it("asks the log once for each thread, and then knows", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-directory-"));
    const path = join(folder, "threads.db");
    const direct = directThreadId("ann", "bob");
    const group = groupThreadId("cid", new Uint8Array(16));
    oldFile(path, direct, group);
    const directory = new Directory(new SqliteThreadStore({ path, clock: new FakeClock() }));
    const asked: string[] = [];
    directory.findWritersBy(async (threadId) => {
      asked.push(hex(threadId));
      const changes = new Map([[1, "cid"]]);
      return hex(threadId) === hex(direct)
        ? { writers: new Map([["ann", 7]]), changes: new Map() }
        : { writers: new Map([["bob", 4]]), changes };
    });
    const shows = (viewer: string, user: string) => directory.shows(viewer, user);
    assert.deepEqual([await shows("bob", "ann"), await shows("ann", "bob")], [true, false]);
    assert.deepEqual(
      [await shows("ann", "cid"), await shows("bob", "cid")],
      [true, true],
      "cid made the group",
    );
    assert.deepEqual(
      [await shows("cid", "bob"), await shows("cid", "ann")],
      [false, false],
      "bob came with 6",
    );
    assert.equal(await directory.hasWritten(direct, "ann"), true);
    assert.deepEqual(asked.sort(), [hex(direct), hex(group)].sort());
    await rm(folder, { recursive: true });
  });
});

/** As commit 043988e wrote it: a direct thread of ann and bob; cid's group, ann in it from its start, bob since 6. */
function oldFile(path: string, direct: Uint8Array, group: Uint8Array): void {
  const db = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, BEFORE_SIGHT)) db.exec(step);
  const row = db.prepare(
    `INSERT INTO thread (owner_id, thread_id, kind, other_user_id, created_at_ms, updated_at_ms, version, active_until_ms)
     VALUES (?, ?, 'direct', ?, 1, 2, 1, 3)`,
  );
  row.run("ann", direct, "bob");
  row.run("bob", direct, "ann");
  const member = db.prepare("INSERT INTO member VALUES (?, ?, ?, ?)");
  member.run(group, "cid", "owner", 1);
  member.run(group, "ann", "member", 1);
  member.run(group, "bob", "member", 6);
  db.exec(`PRAGMA user_version = ${BEFORE_SIGHT}`);
  db.close();
}
