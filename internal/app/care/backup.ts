import { existsSync } from "node:fs";
import { constants, copyFile, cp, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { makeFolder } from "../../base/make-folder.ts";
import { gatherLevelFiles } from "../../store/level/files/level-copy.ts";
import { lookAtFiles } from "../../store/level/files/level-files.ts";
import { lookAtTables } from "../../store/level/files/table-look.ts";
import type { LevelMessageStore } from "../../store/level/level-message-store.ts";
import type { SqliteThreadStore } from "../../store/sqlite/sqlite-thread-store.ts";
import type { Progress } from "./verify.ts";

/** Of the message log files are linked here, within the data folder, before they are copied. */
const STAGING = "backup-staging";

/** What a backup cannot be made of, or into. The message says what to do. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

/** What was copied. */
export interface Backup {
  /** The copy: a data folder. */
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  /** How long writes waited, in ms. */
  readonly heldMs: number;
  /** An earlier one was killed, and what it had left is removed. */
  readonly cleared: boolean;
}

/** The running stores that are copied, and the folder that they are in. */
export interface BackupSources {
  readonly dataDir: string;
  readonly log: LevelMessageStore;
  readonly rows: SqliteThreadStore;
}

/**
 * Removes what a backup whose process was killed has left in the data folder: links that keep room on the disk. Resolves
 * to whether there was something. No backup may be running.
 */
export async function clearStaging(dataDir: string): Promise<boolean> {
  const staging = join(dataDir, STAGING);
  const isThere = existsSync(staging);
  await rm(staging, { recursive: true, force: true });
  return isThere;
}

/**
 * Copies a data folder that is in use to `folder`, which must not be there yet. The copy is of one moment, so that it
 * needs no repair: the rows are copied first, and when little of them is left their writes wait; then those of the log
 * too, until its files are gathered. What was acknowledged before the call is in the copy, each file of which is checked
 * and synced. Rejects with BackupError, with nothing left behind.
 */
export async function backUp(sources: BackupSources, folder: string, progress: Progress): Promise<Backup> {
  const { dataDir } = sources;
  const inside = relative(dataDir, folder);
  if (inside !== ".." && !inside.startsWith("../"))
    throw new BackupError(`${folder} is within the data folder: name one outside`);
  const partial = join(dirname(folder), `.${basename(folder)}.partial`);
  const staging = join(dataDir, STAGING);
  await makeFolder(dirname(folder), 0o777);
  if ((await readdir(folder).catch(() => [])).length > 0)
    throw new BackupError(`${folder} is not empty: name a folder that is not there yet`);
  const isLeft = existsSync(partial);
  await rm(partial, { recursive: true, force: true });
  const cleared = (await clearStaging(dataDir)) || isLeft;
  try {
    await mkdir(partial, { mode: 0o700 });
    const heldMs = await copyStores(sources, partial, staging, progress);
    progress("the message log");
    await cp(staging, join(partial, "messages"), { recursive: true, mode: constants.COPYFILE_FICLONE });
    await copyRest(dataDir, partial);
    const { files, bytes } = await checkAndSync(partial, progress);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
    // The rename itself must outlive a power cut.
    await syncFile(dirname(folder));
    return { folder, files, bytes, heldMs, cleared };
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * Copies the rows, and links the log's files while the writes of both wait: links cost milliseconds, and the files are
 * copied afterwards. Resolves to how long that was, in ms.
 */
async function copyStores(
  { dataDir, log, rows }: BackupSources,
  partial: string,
  staging: string,
  progress: Progress,
): Promise<number> {
  progress("the rows");
  const releaseRows = await rows.copyTo(join(partial, "threads.sqlite"));
  const heldAtMs = performance.now();
  let releaseLog = () => {};
  try {
    releaseLog = await log.hold();
    await gatherLevelFiles(join(dataDir, "messages"), staging);
    return performance.now() - heldAtMs;
  } finally {
    releaseLog();
    releaseRows();
  }
}

/** Keys, ids, version: small files that hardly ever change. Not what a repair has kept of the stores. */
async function copyRest(dataDir: string, partial: string): Promise<void> {
  for (const entry of await readdir(dataDir, { withFileTypes: true })) {
    const isStore =
      entry.name.startsWith("messages") || entry.name === STAGING || entry.name.startsWith("threads.sqlite");
    if (isStore || entry.name.endsWith(".new")) continue;
    if (entry.isDirectory())
      await cp(join(dataDir, entry.name), join(partial, entry.name), { recursive: true });
    else if (entry.isFile()) await copyFile(join(dataDir, entry.name), join(partial, entry.name));
  }
}

/** A copy of damage would take the place of a good backup one day. */
async function checkAndSync(partial: string, progress: Progress): Promise<{ files: number; bytes: number }> {
  const messages = join(partial, "messages");
  const { damages, tables } = await lookAtFiles(messages);
  const [damage] = damages;
  if (damage) throw damagedSource(damage.file, damage.why);
  const checking = (done: number, of: number) => progress(`checking table ${done + 1} of ${of}`);
  const [bad] = await lookAtTables(messages, tables, { isWhole: true, progress: checking });
  if (bad) throw damagedSource(bad.file, bad.why);
  let files = 0;
  let bytes = 0;
  for (const entry of await readdir(partial, { withFileTypes: true, recursive: true })) {
    const size = await syncFile(join(entry.parentPath, entry.name));
    if (!entry.isFile()) continue;
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}

/** Sees to it that a file, or a folder's list of names, is on the disk. Resolves to its size in bytes. */
async function syncFile(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function damagedSource(file: string, why: string): BackupError {
  return new BackupError(
    `messages/${file} is damaged (${why}), so no backup was made: keep the older ones, and put one back (docs/backup.md)`,
  );
}
