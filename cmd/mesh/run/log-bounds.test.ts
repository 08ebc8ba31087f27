import assert from "node:assert/strict";
import { mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundLog } from "./log-bounds.ts";

describe("A log", () => {
  it("that has grown too long is put aside, and its writer goes on at the beginning", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-log-"));
    const path = join(folder, "push-1.log");
    const writer = await open(path, "a");
    try {
      await writer.write("x".repeat(100));
      await boundLog(path, 100);
      assert.equal((await stat(path)).size, 100, "not above its bound");
      await writer.write("y");
      await boundLog(path, 100);
      assert.equal((await readFile(`${path}.1`, "utf8")).length, 101);
      await writer.write("z");
      assert.equal(await readFile(path, "utf8"), "z");
      await boundLog(join(folder, "none.log"), 100);
    } finally {
      await writer.close();
      await rm(folder, { recursive: true });
    }
  });
});
