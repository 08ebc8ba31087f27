import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { takeSlot } from "./device-slot.ts";
import { FolderLock } from "./folder-lock.ts";
import { readSettings } from "./settings.ts";
import { findStateFolder, folderNameOf } from "./state-folder.ts";

describe("The folder of a user's state", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "heddle-state-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  const settingsOf = (user: string) => readSettings(user, {}, { XDG_STATE_HOME: home });
  const oldFolder = () => join(home, "heddle", "ann");

  /** As an earlier version left it, with a second device. */
  async function leaveOld(): Promise<void> {
    await mkdir(join(oldFolder(), "2"), { recursive: true });
    await writeFile(join(oldFolder(), "device"), "chat-1");
    await writeFile(join(oldFolder(), "2", "device"), "chat-2");
  }

  it("is another for every user and server, and always below the place where folders are", () => {
    const ids = [".", "..", "...", "ann", "Ann", "ann/..", "../ann", "a|b", "a/b", "+", "1", "~".repeat(255)];
    const names = ["http://a:1", "http://a:2"].flatMap((url) => ids.map((id) => folderNameOf(id, url)));
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, 2 * ids.length);
    for (const name of names) assert.match(name, /^[a-z0-9_-]{1,24}\.[0-9a-f]{64}$/);
    assert.match(folderNameOf("ann", "http://a:1"), /^ann\./);
  });

  it("is that of an earlier version, taken over with all its devices", async () => {
    await leaveOld();
    const settings = settingsOf("ann");
    assert.equal(await findStateFolder(settings), settings.stateFolder);
    assert.equal(existsSync(oldFolder()), false);
    const slot = await takeSlot(settings.stateFolder);
    assert.deepEqual([slot.number, slot.deviceId], [1, "chat-1"]);
    const second = await takeSlot(settings.stateFolder);
    assert.deepEqual([second.number, second.deviceId], [2, "chat-2"]);
    await Promise.all([slot.release(), second.release()]);
    assert.equal(await findStateFolder(settings), settings.stateFolder);
  });

  for (const used of [".", "2"]) {
    it(`stays where it is while an earlier version runs in it, in ${used}`, async () => {
      await leaveOld();
      const lock = await FolderLock.takeLock(join(oldFolder(), used));
      assert.equal(await findStateFolder(settingsOf("ann")), oldFolder());
      assert.equal(await readFile(join(oldFolder(), "device"), "utf8"), "chat-1");
      await lock?.release();
      assert.equal(await findStateFolder(settingsOf("ann")), settingsOf("ann").stateFolder);
    });
  }

  it("is no other user's: neither that of the place itself nor one above", async () => {
    await mkdir(join(home, "heddle"), { recursive: true });
    for (const user of [".", ".."]) assert.equal(settingsOf(user).oldStateFolder, undefined);
  });
});
