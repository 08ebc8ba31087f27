import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataFolderError } from "../data-folder-error.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { walEnd } from "./wal-file.ts";

const FRAME_BYTES = 24 + 4096;

describe("The write-ahead file of SQLite", () => {
  let folder: string;
  let path: string;
  let wal: Buffer;
  let main: Buffer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-wal-"));
    path = join(folder, "threads.sqlite");
    const file = new SqliteFile(path);
    file.close();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0");
    for (let at = 0; at < 6; at++) db.exec(`INSERT INTO visibility VALUES ('user${at}', 'nobody')`);
    wal = await readFile(`${path}-wal`);
    main = await readFile(path);
    db.close();
  });
  after(() => rm(folder, { recursive: true }));

  const flipped = (at: number, bit = 0) => {
    const copy = Buffer.from(wal);
    copy[at] = (copy[at] ?? 0) ^ (1 << bit);
    return copy;
  };

  it("is whole as SQLite wrote it, and torn where it stops within the last transaction", () => {
    assert.equal(walEnd(wal), "whole");
    assert.equal(walEnd(new Uint8Array(0)), "whole");
    const end = Buffer.from(wal);
    end.fill(0, end.length - 1000);
    assert.equal(walEnd(end), "torn");
    assert.equal(walEnd(wal.subarray(0, 20)), "torn");
  });

  it("is damaged wherever a bit is another before the last transaction", () => {
    for (let at = 0; at < wal.length - FRAME_BYTES; at += 61) {
      const end = walEnd(flipped(at, at % 8));
      assert.ok(typeof end === "object", `byte ${at}: ${end}`);
    }
  });

  it("keeps a damaged one from being opened, and leaves the files as they are", async () => {
    await writeFile(path, main);
    const damaged = flipped(32 + 24 + 100);
    await writeFile(`${path}-wal`, damaged);
    const isRefused = (error: unknown) =>
      error instanceof DataFolderError && /admin verify/.test(error.message);
    assert.throws(() => new SqliteFile(path), isRefused);
    assert.deepEqual(await readFile(`${path}-wal`), damaged);
    await writeFile(`${path}-wal`, wal);
    const file = new SqliteFile(path);
    file.close();
    const db = new DatabaseSync(path);
    assert.equal(db.prepare("SELECT count(*) AS count FROM visibility").get()?.count, 6);
    db.close();
  });
});
