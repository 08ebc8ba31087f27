import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataFolderError } from "../data-folder-error.ts";
import { MIGRATIONS } from "./migrations.ts";
import { SqliteFile } from "./sqlite-file.ts";

describe("SqliteFile", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-file-"));
    path = join(folder, "threads.sqlite");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const says = (words: RegExp) => (error: unknown) =>
    error instanceof DataFolderError && words.test(error.message) && !error.message.includes("\n");

  it("syncs every commit, and keeps its tables strict", () => {
    new SqliteFile(path).close();
    const db = new DatabaseSync(path);
    assert.equal(db.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
    const tables = db.prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").all();
    const own = tables.filter(({ name }) => !String(name).startsWith("sqlite_"));
    assert.deepEqual(own.map(({ name, strict }) => `${name} ${strict}`).sort(), [
      "activity 1",
      "block 1",
      "device 1",
      "era 1",
      "group_change 1",
      "group_thread 1",
      "member 1",
      "meta 1",
      "owner 1",
      "profile 1",
      "thread 1",
      "visibility 1",
    ]);
    db.close();
  });

  it("says in one line that another process has it", () => {
    const first = new SqliteFile(path);
    assert.throws(() => new SqliteFile(path), says(/in use by another process/));
    first.close();
    new SqliteFile(path).close();
  });

  it("says in one line that it is damaged", async () => {
    await writeFile(path, Buffer.alloc(8192, "nonsense"));
    assert.throws(() => new SqliteFile(path), says(/is damaged/));
  });

  it("says in one line that it cannot be opened", () => {
    assert.throws(() => new SqliteFile(join(folder, "nowhere/threads.sqlite")), says(/cannot be opened/));
    assert.throws(() => new SqliteFile(folder), says(/cannot be opened/));
  });

  it("leaves alone what a newer Heddle wrote", () => {
    new SqliteFile(path).close();
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    assert.throws(() => new SqliteFile(path), says(/newer Heddle/));
  });

  it("keeps nothing of a transaction that throws", () => {
    const file = new SqliteFile(path);
    assert.throws(() =>
      file.transaction(() => {
        file.probe();
        throw new Error("no");
      }),
    );
    file.probe(); // No transaction is left open.
    file.close();
  });
});
