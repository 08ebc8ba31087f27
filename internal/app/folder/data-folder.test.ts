import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { DATA_VERSION } from "../settings/versions.ts";
import { openDataFolder, readNote } from "./data-folder.ts";
import { beginHistory } from "./history.ts";

describe("A data folder", () => {
  let folder: string;
  const version = () => join(folder, "version.json");
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-data-folder-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("notes its version when it is made, and when one from before versions is opened", async () => {
    await openDataFolder(folder);
    assert.equal(JSON.parse(await readFile(version(), "utf8")).data, DATA_VERSION);
    await openDataFolder(folder);
    assert.deepEqual(await readdir(folder), ["version.json"]);
  });

  it("is refused untouched when a newer program wrote it, by that program's version", async () => {
    const newer = `{"data":${DATA_VERSION + 1},"program":"7.0.0"}`;
    await writeFile(version(), newer);
    await assert.rejects(openDataFolder(folder), (error) => {
      assert.ok(error instanceof DataFolderError);
      assert.match(error.message, /newer Heddle \(7\.0\.0\): start that one/);
      return true;
    });
    assert.equal(await readFile(version(), "utf8"), newer);
  });

  it("is refused when its version cannot be read", async () => {
    for (const text of ["", "{", "[]", '{"data":"1"}', "null"]) {
      await writeFile(version(), text);
      await assert.rejects(openDataFolder(folder), /version\.json is damaged/, text);
    }
  });

  it("takes no bit of its note that is another for what was written: not for a newer Heddle either", async () => {
    await beginHistory(await openDataFolder(folder));
    const bytes = await readFile(version());
    const written = await readNote(folder);
    assert.ok(written?.deployment);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await writeFile(version(), flipped);
      const read = await readNote(folder).catch((error: Error) => {
        assert.match(error.message, /version\.json is damaged .*remove it/, flipped.toString());
      });
      if (read) assert.deepEqual({ ...read, isSummed: true }, written, flipped.toString());
    }
  });

  it("has a sum added to a note that an earlier program wrote without one, and nothing else changed", async () => {
    const places = await openDataFolder(folder);
    await beginHistory(places);
    const written = await readFile(version(), "utf8");
    await writeFile(version(), written.replace(/,"sum":"[^"]*"/, ""));
    assert.notEqual(await readFile(version(), "utf8"), written);
    await openDataFolder(folder);
    assert.equal(await readFile(version(), "utf8"), written);
  });
});
