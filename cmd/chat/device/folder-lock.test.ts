import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FolderLock } from "./folder-lock.ts";

describe("FolderLock", function () {
  this.timeout(20_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-lock-"));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it("is had by one at a time, and left without a trace", async () => {
    const first = await FolderLock.takeLock(folder);
    assert.ok(first);
    assert.equal(await FolderLock.takeLock(folder), undefined);
    await first.release();
    const second = await FolderLock.takeLock(folder);
    assert.ok(second);
    await second.release();
    assert.deepEqual(await readdir(folder), []);
  });

  it("is taken from a process that was killed", async () => {
    const module = JSON.stringify(join(import.meta.dirname, "folder-lock.ts"));
    const script = `import { FolderLock } from ${module};
      await FolderLock.takeLock(${JSON.stringify(folder)});
      console.log("taken");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script]);
    await once(child.stdout, "data");
    assert.equal(await FolderLock.takeLock(folder), undefined);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
    const lock = await FolderLock.takeLock(folder);
    assert.ok(lock);
    await lock.release();
  });

  it("is taken from a dead process whose number another one has now, and from a torn file", async () => {
    for (const text of [JSON.stringify({ pid: process.pid, began: "1", id: "x" }), "{", ""]) {
      await writeFile(join(folder, "lock"), text);
      const lock = await FolderLock.takeLock(folder);
      assert.ok(lock, text);
      await lock.release();
    }
  });

  it("is had by one of many that come at once, however dead the holder", async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(join(folder, "lock"), JSON.stringify({ pid: 2 ** 22 + 1, began: "", id: "dead" }));
      const locks = (await Promise.all(Array.from({ length: 8 }, () => FolderLock.takeLock(folder)))).filter(
        Boolean,
      );
      assert.ok(locks.length <= 1, `${locks.length} have it`);
      for (const lock of locks) await lock?.release();
      await rm(join(folder, "lock"), { force: true });
    }
  });
});
