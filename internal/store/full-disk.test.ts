import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const SIZE_MIB = 8;

/** A file system of its own, seen by the child alone and gone with it. Needs no rights where users may have namespaces. */
const ON_SMALL_DISK = `mount -t tmpfs -o size=${SIZE_MIB}m tmpfs "$0" && exec "$1" "$2" "$0"`;

describe("A full disk", function () {
  this.timeout(30_000);

  it("stops writes with STORE_UNAVAILABLE, loses nothing acknowledged, and ends by itself", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-full-"));
    const namespaces = process.getuid?.() === 0 ? "-m" : "-rm";
    const program = join(import.meta.dirname, "full-disk-trial.ts");
    const command = [namespaces, "sh", "-c", ON_SMALL_DISK, folder, process.execPath, program];
    const running = promisify(execFile)("unshare", command, { timeout: 25_000 });
    const { stdout } = await running.finally(() => rm(folder, { recursive: true }));

    const seen = JSON.parse(stdout);
    assert.deepEqual([seen.full.appends, seen.full.touches], ["STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
    assert.deepEqual(seen.full.ready, [false, false]);

    // Reads go on while the disk is full.
    assert.equal(seen.full.log.entries, seen.acknowledged);
    assert.equal(seen.full.rows, 1);

    assert.ok(seen.recoveredInMs < 5_000, `took ${seen.recoveredInMs} ms to serve again`);
    assert.deepEqual(seen.after.ready, [true, true]);
    for (const { log } of [seen.after, seen.reopened]) {
      assert.ok(
        log.whole && log.entries === log.head && log.entries >= seen.acknowledged,
        JSON.stringify(log),
      );
    }
    // One more at most: an append that was rejected may have been applied.
    assert.ok(seen.after.next >= seen.acknowledged + 1 && seen.after.next <= seen.acknowledged + 2);
    assert.equal(seen.reopened.log.head, seen.after.next);
    assert.ok(seen.reopened.version > seen.acknowledgedVersion);
    assert.deepEqual([...seen.events].sort(), [
      "message failed",
      "message recovered",
      "thread failed",
      "thread recovered",
    ]);
  });
});
