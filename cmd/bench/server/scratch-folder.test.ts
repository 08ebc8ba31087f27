import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { scratchFolder } from "./scratch-folder.ts";

describe("Scratch folders", () => {
  it("are removed by the next run when theirs was killed, and nothing else is", async () => {
    const parent = await mkdtemp(join(tmpdir(), "heddle-bench-"));
    try {
      const ended = spawnSync(process.execPath, ["--version"]).pid;
      await mkdir(join(parent, `run-${ended}-abc`));
      await mkdir(join(parent, "profiles"));
      const running = await scratchFolder(parent);
      const second = await scratchFolder(parent);
      assert.deepEqual(
        (await readdir(parent)).sort(),
        ["profiles", basename(running), basename(second)].sort(),
      );
    } finally {
      await rm(parent, { recursive: true });
    }
  });
});
