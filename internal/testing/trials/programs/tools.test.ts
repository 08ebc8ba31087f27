import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { python } from "../../../../cmd/stubs/python.ts";
import { cached } from "../../../../cmd/stubs/tool.ts";
import { chromium, grpcurl, pythonStubs } from "./tools.ts";

const run = promisify(execFile);

describe("The tools of the tests", function () {
  // A cold cache: Go compiles grpcurl in 1 to 4 minutes.
  this.timeout("8m");

  it("have a grpcurl that runs", async () => {
    await run(await grpcurl(), ["--version"]);
  });

  it("have Python stubs that import", async () => {
    const script = "import grpc; from buf.validate import validate_pb2; from google.rpc import status_pb2";
    await run(await python(), ["-c", script], {
      env: { ...process.env, PYTHONPATH: await pythonStubs() },
    });
  });

  it("have a browser", async () => {
    assert.ok(existsSync(await chromium()));
  });
});

describe("The cache of tools", () => {
  const before = process.env.HEDDLE_CACHE_DIR;
  let cache = "";
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "heddle-cache-"));
    process.env.HEDDLE_CACHE_DIR = cache;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.HEDDLE_CACHE_DIR;
    else process.env.HEDDLE_CACHE_DIR = before;
    await rm(cache, { recursive: true });
  });

  it("fills a folder once, however many ask", async () => {
    let fills = 0;
    const fill = async (target: string) => {
      fills++;
      await writeFile(join(target, "tool"), "built");
    };
    await Promise.all([cached("a", "tool", fill), cached("a", "tool", fill)]);
    const folder = await cached("a", "tool", fill);
    assert.equal(fills, 1);
    assert.equal(await readFile(join(folder, "tool"), "utf8"), "built");
  });

  it("leaves nothing behind when filling fails, and tries again", async () => {
    const failing = async (target: string) => {
      await writeFile(join(target, "half"), "");
      throw new Error("no network");
    };
    await assert.rejects(cached("a", "tool", failing), /no network/);
    assert.deepEqual(await readdir(cache), []);
    await cached("a", "tool", (target) => writeFile(join(target, "tool"), ""));
    assert.deepEqual(await readdir(cache), ["a"]);
  });

  it("keeps the folder of another process that was first", async () => {
    const folder = await cached("a", "tool", async (target) => {
      await mkdir(join(cache, "a"));
      await writeFile(join(cache, "a", "tool"), "theirs");
      await writeFile(join(target, "tool"), "ours");
    });
    assert.equal(await readFile(join(folder, "tool"), "utf8"), "theirs");
    assert.deepEqual(await readdir(cache), ["a"]);
  });
});
