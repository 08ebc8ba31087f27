import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached } from "./cached.ts";
import { lockFile } from "./lock-file.ts";

describe("cached", () => {
  let folder: string;
  const before = process.env.HEDDLE_CACHE_DIR;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-cached-"));
    process.env.HEDDLE_CACHE_DIR = join(folder, "cache");
  });

  afterEach(async () => {
    if (before === undefined) delete process.env.HEDDLE_CACHE_DIR;
    else process.env.HEDDLE_CACHE_DIR = before;
    await rm(folder, { recursive: true });
  });

  const fill = (text: string) => (target: string) => writeFile(join(target, "witness"), text);

  it("fills a folder once, and leaves nothing beside it", async () => {
    const made = await cached("thing-1", "witness", fill("first"));
    const again = await cached("thing-1", "witness", fill("second"));
    assert.equal(made, again);
    assert.equal(await readFile(join(made, "witness"), "utf8"), "first");
    assert.deepEqual(await readdir(join(folder, "cache")), ["thing-1"]);
  });

  it("leaves nothing of what failed, and tries again", async () => {
    const failed = cached("thing-1", "witness", async () => {
      throw new Error("the disk is full");
    });
    await assert.rejects(failed, /the disk is full/);
    await assert.rejects(
      cached("thing-1", "witness", async () => {}),
      /thing-1 was built without witness/,
    );
    assert.deepEqual(await readdir(join(folder, "cache")), []);
    const made = await cached("thing-1", "witness", fill("second"));
    assert.equal(await readFile(join(made, "witness"), "utf8"), "second");
  });

  it("fills it once, however many ask at once", async () => {
    let fills = 0;
    const counted = async (target: string) => {
      fills += 1;
      await fill("only")(target);
    };
    await Promise.all([cached("thing-1", "witness", counted), cached("thing-1", "witness", counted)]);
    assert.equal(fills, 1);
  });

  it("keeps the folder of another process that was first in spite of the lock", async () => {
    const theirs = join(folder, "cache", "thing-1");
    const made = await cached("thing-1", "witness", async (target) => {
      await mkdir(theirs);
      await fill("theirs")(theirs);
      await fill("ours")(target);
    });
    assert.equal(await readFile(join(made, "witness"), "utf8"), "theirs");
    assert.deepEqual(await readdir(join(folder, "cache")), ["thing-1"]);
  });

  it("waits for another process that fills it, and takes what that made", async () => {
    const theirs = await cached("theirs", "witness", fill("theirs"));
    const unlock = await lockFile(join(folder, "cache", "thing-1.lock"), () => {});
    const { promise: isWaiting, resolve: waits } = Promise.withResolvers<void>();
    const waiting = cached("thing-1", "witness", () => assert.fail("filled twice"), waits);
    await isWaiting;
    await rename(theirs, join(folder, "cache", "thing-1"));
    await unlock();
    assert.equal(await readFile(join(await waiting, "witness"), "utf8"), "theirs");
  });

  it("does not wait for one that is gone", async () => {
    await cached("other", "witness", fill(""));
    const lock = join(folder, "cache", "thing-1.lock");
    await writeFile(lock, "");
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    const made = await cached("thing-1", "witness", fill("ours"), () => assert.fail("waited"));
    assert.equal(await readFile(join(made, "witness"), "utf8"), "ours");
    assert.deepEqual((await readdir(join(folder, "cache"))).sort(), ["other", "thing-1"]);
  });
});
