import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { Eras } from "./eras.ts";
import { MIGRATIONS } from "./migrations.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { SqliteThreadStore } from "./sqlite-thread-store.ts";

describe("Eras", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-eras-"));
    path = join(folder, "threads.sqlite");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = () => new SqliteThreadStore({ path, clock: new FakeClock(), tick: (run) => run() });

  it("tell a file that was put back from one that grew on", async () => {
    let store = open();
    await store.setVisibility("ann", "nobody");
    const early = store.state;
    await store.close();
    await copyFile(path, join(folder, "copy"));

    store = open();
    await store.setVisibility("bob", "nobody");
    const late = store.state;
    await store.close();
    store = open();
    assert.notEqual(store.state.era, late.era);
    assert.deepEqual(await Promise.all([store.knows(early), store.knows(late)]), [true, true]);
    assert.equal(await store.knows({ ...late, mark: late.mark + 1 }), false, "beyond the end of its era");
    await store.close();

    await copyFile(join(folder, "copy"), path);
    store = open();
    assert.deepEqual(await Promise.all([store.knows(early), store.knows(late)]), [true, false]);
    await store.close();
  });

  it("tell a file that was put back to the middle of an era, without a clock", async () => {
    let store = open();
    await store.setVisibility("ann", "nobody");
    const early = store.state;
    // What a copy taken now would hold, the write-ahead file included.
    await copyFile(path, join(folder, "copy"));
    await copyFile(`${path}-wal`, join(folder, "copy-wal"));
    await store.setVisibility("bob", "nobody");
    const late = store.state;
    assert.equal(late.era, early.era);
    assert.equal(late.mark, early.mark + 1);
    await store.close();

    await copyFile(join(folder, "copy"), path);
    await copyFile(join(folder, "copy-wal"), `${path}-wal`);
    store = open();
    assert.deepEqual(await Promise.all([store.knows(early), store.knows(late)]), [true, false]);
    for (let at = 0; at < 3; at++) await store.setVisibility("cid", at % 2 ? "shared" : "nobody");
    assert.ok(store.state.mark > late.mark);
    assert.equal(await store.knows(late), false, "however far it has come since");
    await store.close();
  });

  it("raise the mark once for the writes that share a transaction, on the disk too", async () => {
    const store = open();
    const { mark } = store.state;
    await store.setVisibility("ann", "nobody");
    assert.equal(store.state.mark, mark + 1);
    await store.close();
    const db = new DatabaseSync(path);
    const kept = db.prepare("SELECT value FROM meta WHERE name = 'mark'").get();
    db.close();
    assert.deepEqual({ ...kept }, { value: mark + 1 });
  });

  it("forget the oldest, and never the running one", () => {
    const file = new SqliteFile(":memory:");
    const eras = new Eras(file);
    eras.begin();
    const first = eras.now;
    for (let start = 0; start < 10_001; start++) eras.begin();
    assert.equal(file.do(eras.knows(first)), false);
    assert.equal(file.do(eras.knows(eras.now)), true);
    file.close();
  });

  it("begin in a file of before there were any", async () => {
    const db = new DatabaseSync(path);
    for (const step of MIGRATIONS.slice(0, 3)) db.exec(step);
    db.exec("PRAGMA user_version = 3");
    db.close();
    const store = open();
    assert.ok(store.state.mark > 0);
    assert.equal(await store.knows(store.state), true);
    await store.close();
  });
});
