import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { HeddleProcess, ROOT } from "../programs/heddle-process.ts";

const FIXTURE = join(import.meta.dirname, "../../fixtures/043988e/stopped");

describe("Damage in the file of the rows", function () {
  this.timeout("60s");
  let data: string;
  let rows: string;

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "heddle-damaged-rows-"));
    await cp(FIXTURE, data, { recursive: true });
    rows = join(data, "threads.sqlite");
    await (await HeddleProcess.start(data)).stop(); // Brings them up to date.
  });
  afterEach(() => rm(data, { recursive: true }));

  const repair = async () => {
    const env = { ...process.env, HEDDLE_DATA_DIR: data, HEDDLE_ADMIN_ADDR: "127.0.0.1:9" };
    const run = promisify(execFile)(join(ROOT, "bin/heddle"), ["admin", "repair"], { env });
    return await run.then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => {
        return { code, text: stdout + stderr };
      },
    );
  };
  /** Another bit in the first byte of the page with which a table begins: what kind of page it is. */
  const spoil = async (table: string) => {
    const db = new DatabaseSync(rows);
    const root = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table)?.rootpage;
    const pageBytes = db.prepare("PRAGMA page_size").get()?.page_size;
    db.close();
    await flip((Number(root) - 1) * Number(pageBytes));
  };
  const flip = async (at: number) => {
    const file = await open(rows, "r+");
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
    await file.close();
  };

  it("ends a repair with 1 where blocks and revocations are lost, and says who may sign in again", async () => {
    await flip(0);
    const { code, text } = await repair();
    assert.match(text, /LOST.* blocks, .*devices that were revoked can sign in again/);
    assert.equal(code, 1);
    assert.deepEqual(await repair().then((again) => again.code), 0, "of rows that are well");
    await rm(rows);
    assert.equal((await repair()).code, 1, "there were none");
  });

  it("ends a repair with 1 where a table cannot be read, and takes over what can", async () => {
    await spoil("device");
    const { code, text } = await repair();
    assert.match(text, /taken over from the rows before: [1-9]\d* mutes, [1-9]\d* blocks, 0 devices/);
    assert.match(text, /LOST.*devices that were revoked can sign in again/);
    assert.equal(code, 1);
    await (await HeddleProcess.start(data)).stop();
  });
});
