import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "./make-folder.ts";

describe("makeFolder", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-make-folder-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("makes what is missing above too, takes what is there, and is asked by several at once", async () => {
    const path = join(folder, "a/b/c");
    await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(folder, "a/b/d"))]);
    await makeFolder(`${path}/`);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
  });

  it("rejects where a file stands in the way, and where the file system makes no folders", async () => {
    await writeFile(join(folder, "file"), "");
    await assert.rejects(makeFolder(join(folder, "file")), { code: "EEXIST" });
    await assert.rejects(makeFolder(join(folder, "file/x")), { code: "ENOTDIR" });
    for (const path of ["/proc/xx", "/proc/xx/yy"])
      await assert.rejects(makeFolder(path), { syscall: "mkdir" });
  });
});
