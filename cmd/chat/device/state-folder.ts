import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../../../internal/base/make-folder.ts";
import { idleSlots, takeSlot } from "./device-slot.ts";

/** Where a user's state is, and where an earlier version would have it. */
export interface StateFolders {
  readonly stateFolder: string;
  readonly oldStateFolder: string | undefined;
}

/**
 * Characters of a user's id that its folder shows. With the 65 behind them the name is far below the 255 bytes that
 * file systems take.
 */
const SHOWN = 24;

/**
 * The name of a user's folder for one server: what can be read of the id, and
 * SHA-256 of both (no id has a blank in it). So any id has a folder of its own at each server, also where a file system takes capitals for small
 * letters, and none leads out of the place where folders are.
 */
export function folderNameOf(userId: string, server: string): string {
  const shown = userId
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "_")
    .slice(0, SHOWN);
  return `${shown}.${createHash("sha256").update(`${userId} ${server}`).digest("hex")}`;
}

/** The name that earlier versions gave the folder, by the id alone; undefined for ids that could not sign in there. */
export function oldFolderNameOf(userId: string): string | undefined {
  return /^[a-z0-9._-]{1,64}$/.test(userId) && !/^\.+$/.test(userId) ? userId : undefined;
}

/**
 * Where the state of this run is. A folder of an earlier version, which did not know servers apart, is taken over by
 * the first that is asked for, if nothing runs in it; while something does, this run is one more beside it, there.
 */
export async function findStateFolder({ stateFolder, oldStateFolder }: StateFolders): Promise<string> {
  if (oldStateFolder === undefined || existsSync(stateFolder) || !existsSync(oldStateFolder))
    return stateFolder;
  const first = await takeSlot(oldStateFolder);
  const held = first.number === 1 ? [first, ...(await idleSlots(oldStateFolder))] : [first];
  const isIdle = first.number === 1 && !existsSync(join(oldStateFolder, String(held.length + 1)));
  if (!isIdle) {
    await Promise.all(held.map((slot) => slot.release()));
    return oldStateFolder;
  }
  await makeFolder(dirname(stateFolder));
  await rename(oldStateFolder, stateFolder);
  // The locks went with their folders: none is held any more.
  for (const { number } of held) {
    await rm(join(stateFolder, number === 1 ? "." : String(number), "lock"), { force: true });
  }
  return stateFolder;
}
