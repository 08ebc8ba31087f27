import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFolderError } from "../store/data-folder-error.ts";
import { beginHistory } from "./history.ts";

describe("The identity of data", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-history-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("keeps the deployment's id from start to start, and begins a log epoch with each", async () => {
    const path = join(folder, "deployment-id");
    const first = await beginHistory(path);
    const second = await beginHistory(path);
    assert.deepEqual(second.deploymentId, first.deploymentId);
    assert.equal(first.deploymentId.length, 16);
    assert.notEqual(second.logEpoch, first.logEpoch);
    assert.ok(first.logEpoch > 0);
    await rm(path);
    assert.notDeepEqual((await beginHistory(path)).deploymentId, first.deploymentId);
  });

  it("makes no other id where there is one that cannot be read", async () => {
    const path = join(folder, "deployment-id");
    await writeFile(path, "half");
    await assert.rejects(beginHistory(path), DataFolderError);
    assert.equal(await readFile(path, "utf8"), "half");
    await assert.rejects(beginHistory(folder), DataFolderError);
  });
});
