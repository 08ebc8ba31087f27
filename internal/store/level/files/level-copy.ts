import { constants, copyFile, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lookAtFiles } from "./level-files.ts";

/** How often a copy is begun anew because LevelDB compacted meanwhile. With no writes coming, it soon has nothing to do. */
const MAX_TRIES = 50;

/**
 * Gathers in `target`, a folder that is not there yet, the files of an open LevelDB folder as they are at one moment.
 * No batch may be written meanwhile; compactions may run. Takes milliseconds: tables, which never change, are linked.
 */
export async function gatherLevelFiles(path: string, target: string): Promise<void> {
  for (let tried = 1; ; tried++) {
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    if (await tryToGather(path, target)) return;
    if (tried === MAX_TRIES) throw new Error(`${path} did not come to rest`);
  }
}

/** Whether nothing has changed meanwhile. */
async function tryToGather(path: string, target: string): Promise<boolean> {
  const current = await readFile(join(path, "CURRENT"), "latin1");
  const manifest = current.trim();
  const before = await readFile(join(path, manifest));
  try {
    const { damages, tables, logs } = await lookAtFiles(path);
    if (damages.length > 0) return false; // A file was deleted while it was looked at; if not, `tried` ends it.
    for (const name of tables) await linkOrCopy(join(path, name), join(target, name));
    for (const name of logs) await copyFile(join(path, name), join(target, name));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
  await writeFile(join(target, manifest), before);
  await writeFile(join(target, "CURRENT"), current);
  return before.equals(await readFile(join(path, manifest)));
}

/** Some file systems have no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw error;
    return copyFile(from, to, constants.COPYFILE_FICLONE);
  });
}
