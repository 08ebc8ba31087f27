import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { KEPT_TABLES, REBUILT_TABLES } from "./rows-takeover.ts";
import { SqliteFile } from "./sqlite-file.ts";

describe("What new rows take over from old ones", () => {
  it("has each table: made anew from the log, or kept", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-takeover-"));
    const path = join(folder, "threads.sqlite");
    new SqliteFile(path).close();
    const db = new DatabaseSync(path);
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    db.close();
    await rm(folder, { recursive: true });
    const listed = [...REBUILT_TABLES, ...KEPT_TABLES].sort();
    assert.deepEqual(
      tables.map(({ name }) => name),
      listed,
    );
  });
});
