import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { openDataFolder } from "./data-folder.ts";
import { beginHistory } from "./history.ts";

describe("The identity of data", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-history-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("keeps the deployment's id from start to start, and begins a log epoch with each", async () => {
    const places = await openDataFolder(folder);
    const { history: first } = await beginHistory(places);
    const { history: second } = await beginHistory(places);
    assert.deepEqual(second.deploymentId, first.deploymentId);
    assert.equal(first.deploymentId.length, 16);
    assert.notEqual(second.logEpoch, first.logEpoch);
    assert.ok(first.logEpoch > 0);
    await rm(places.deploymentId);
    assert.deepEqual((await beginHistory(places)).history.deploymentId, first.deploymentId, "the copy");
  });

  it("makes no other id where there is one that cannot be read", async () => {
    const places = await openDataFolder(folder);
    await writeFile(places.deploymentId, "half");
    await assert.rejects(beginHistory(places), DataFolderError);
    assert.equal(await readFile(places.deploymentId, "utf8"), "half");
    await rm(places.deploymentId);
    await mkdir(places.deploymentId);
    await assert.rejects(beginHistory(places), DataFolderError);
  });
});
