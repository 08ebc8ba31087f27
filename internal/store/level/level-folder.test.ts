import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeddleError } from "../../base/heddle-error.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { DataFolderError } from "../data-folder-error.ts";
import { LevelFolder } from "./level-folder.ts";

describe("LevelFolder", () => {
  let path: string;
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), "heddle-folder-")), "messages");
  });
  afterEach(() => rm(join(path, ".."), { recursive: true }));

  const open = (clock = new FakeClock()) => LevelFolder.open({ path, clock });
  const says = (words: RegExp) => (error: unknown) =>
    error instanceof DataFolderError &&
    words.test(error.message) &&
    error.message.includes(path) &&
    !error.message.includes("\n");

  it("says in one line that another process has it", async () => {
    const first = await open();
    await assert.rejects(open(), says(/in use by another process: stop that one/));
    await first.close();
    await (await open()).close();
  });

  it("says in one line that it cannot be used", async () => {
    await writeFile(path, "a file where the folder should be");
    await assert.rejects(open(), says(/cannot be opened/));
  });

  it("says in one line that it is damaged", async () => {
    await (await open()).close();
    await writeFile(join(path, "CURRENT"), "nonsense");
    await assert.rejects(open(), says(/is damaged/));
  });

  it("closes and opens again after a failed write, and reads on until then", async () => {
    const clock = new FakeClock();
    const events: string[] = [];
    let recovered = () => {};
    const again = new Promise<void>((resolve) => {
      recovered = resolve;
    });
    const watch = {
      failed: () => events.push("failed"),
      recovered() {
        events.push("recovered");
        recovered();
      },
    };
    const folder = await LevelFolder.open({ path, clock, watch });
    const key = Uint8Array.of(1);
    await folder.db.put(key, Uint8Array.of(2), { sync: true });
    folder.fail(new Error("the disk is full"));
    folder.fail(new Error("the disk is still full"));
    assert.equal(folder.writable, false);
    assert.equal((await folder.db.get(key))?.[0], 2);
    clock.advance(100);
    await again;
    assert.equal(folder.writable, true);
    assert.deepEqual(events, ["failed", "recovered"]);
    assert.equal((await folder.db.get(key))?.[0], 2);
    assert.ok(!(await readdir(path)).includes("probe"));
    await folder.close();
  });

  it("tries again while the disk takes no writes, at most a second apart", async () => {
    const clock = new FakeClock();
    const folder = await open(clock);
    await mkdir(join(path, "probe")); // So that the probe's file cannot be made.
    folder.fail(new Error("the disk is full"));
    const waits: number[] = [];
    for (let retry = 0; retry < 6; retry++) {
      const before = clock.monotonicMs();
      while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
      while (clock.waiting > 0) clock.advance(50);
      waits.push(clock.monotonicMs() - before);
    }
    assert.deepEqual(waits, [100, 200, 400, 800, 1000, 1000]);
    assert.equal(folder.writable, false);
    await folder.close();
  });

  it("reads on while it looks at the tables before it closes, and looks at none twice", async () => {
    const slow = new FakeClock();
    // Each time is a second later, so that every table is told of.
    let nowMs = 0;
    const clock = {
      nowMs: () => slow.nowMs(),
      after: slow.after.bind(slow),
      monotonicMs: () => (nowMs += 1_000),
    };
    const key = Uint8Array.of(1);
    for (let table = 0; table < 3; table++) {
      const folder = await LevelFolder.open({ path, clock });
      await folder.db.put(key, new Uint8Array(1_000), { sync: true });
      await folder.close();
    }
    const reads: string[] = [];
    const watch = {
      failed() {},
      recovered: () => recovered(),
      progress: () => void reads.push(isReadable() ? "open" : "closed"),
    };
    let recovered = () => {};
    const again = new Promise<void>((resolve) => {
      recovered = resolve;
    });
    let folder: LevelFolder | undefined;
    const isReadable = () => {
      try {
        return folder?.db.status === "open";
      } catch {
        return false;
      }
    };
    folder = await LevelFolder.open({ path, clock, watch });
    const tables = (await readdir(path)).filter((name) => name.endsWith(".ldb")).length;
    reads.length = 0;
    folder.fail(new Error("the disk is full"));
    slow.advance(100);
    await again;
    assert.ok(tables > 1);
    assert.deepEqual(
      reads,
      Array.from({ length: tables }, () => "open"),
    );
    await folder.close();
  });

  it("gives its lock back when it is closed while it mends", async () => {
    const folder = await open();
    folder.fail(new Error("the disk is full"));
    await folder.close();
    assert.throws(() => folder.db, HeddleError);
    await (await open()).close();
  });
});
