import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { fromHex } from "../../base/ids.ts";
import { Rebuild, type Rebuilt, type RebuiltRows } from "../../message/offline/rebuild.ts";
import { type CutThread, ThreadEnds } from "../../message/offline/thread-ends.ts";
import { DataFolderError } from "../../store/data-folder-error.ts";
import { LevelMessageStore } from "../../store/level/level-message-store.ts";
import { type TakenOver, takeOver } from "../../store/sqlite/rows-takeover.ts";
import { SqliteThreadStore } from "../../store/sqlite/sqlite-thread-store.ts";
import type { DataFolder } from "../folder/data-folder.ts";
import { holdForRepair } from "../folder/repair-lock.ts";
import { type Loss, salvageMessages } from "./salvage.ts";
import type { Progress } from "./verify.ts";

/** What a repair did. */
export interface Repair {
  readonly made: Rebuilt;
  /** Undefined where the rows from before were not there, or not readable: why, then, is in `lost`. */
  readonly taken: TakenOver | undefined;
  readonly lost: string | undefined;
  /** Threads of which the rows from before know more than the messages have: they end earlier now, or are gone. */
  readonly gone: readonly CutThread[];
  /** Mutes that were set again. */
  readonly mutes: number;
  /** Where the rows from before are now; undefined if there were none. */
  readonly before: string | undefined;
  /** What the messages have lost, where they were damaged and that was accepted. */
  readonly loss: Loss | undefined;
}

/**
 * Makes the rows of a data folder that no process uses anew from its message log, in a file of their own that then takes
 * the place of the old one, which is kept beside it. Rejects with DataFolderError, with everything as it was; also where
 * another repair runs. Starts and looks are refused meanwhile.
 *
 * With `acceptsLoss` messages that are damaged are made anew too, from all that can be read of them, and the damaged
 * ones are kept beside: a page that lacks what is lost stays LOG_DAMAGED. For those who have no backup.
 */
export async function repairFolder(
  folder: DataFolder,
  progress: Progress,
  acceptsLoss = false,
): Promise<Repair> {
  const release = holdForRepair(folder);
  try {
    return await repairHeld(folder, progress, acceptsLoss);
  } finally {
    release();
  }
}

async function repairHeld(folder: DataFolder, progress: Progress, acceptsLoss: boolean): Promise<Repair> {
  const path = `${folder.threads}.new`;
  await removeRows(path);
  const { taken, lost } = takeOverIfReadable(path, folder.threads);
  const time = { nowMs: 0 };
  const clock = { ...systemClock, nowMs: () => time.nowMs };
  const rows = new SqliteThreadStore({ path, clock, isScratch: true });
  let noted: SqliteThreadStore | undefined;
  let loss: Loss | undefined;
  const aside = `${folder.messages}.before-repair-${stamp()}`;
  const init = { path: folder.messages, clock: systemClock, rows: () => noted?.state };
  const open = async () => {
    if (acceptsLoss) loss = await salvageMessages(folder.messages, aside, progress);
    return await LevelMessageStore.open(init);
  };
  const log = await open().catch(async (error) => {
    await rows.close();
    await removeRows(path);
    throw error;
  });
  try {
    const { made, ends } = await rebuild(log, timed(rows, time), { taken, loss }, progress);
    const gone = [...ends.cutOf(taken?.known ?? [])];
    const knows = taken !== undefined && taken.pairs.size + taken.known.length > 0;
    if (made.direct + made.groups + made.unknownOthers.length === 0 && knows) throw emptyLog(folder.messages);
    time.nowMs = Date.now();
    const mutes = await mute(rows, taken);
    await rows.close();
    const before = await swap(path, folder.threads);
    noted = new SqliteThreadStore({ path: folder.threads, clock: systemClock });
    await meet(log, noted);
    return { made, taken, lost, gone, mutes, before, loss };
  } catch (error) {
    await log.close();
    if (loss && !noted) await putBack(folder.messages, loss.aside);
    throw error;
  } finally {
    await rows.close();
    await log.close();
    await removeRows(path);
  }
}

/** A repair that is refused leaves everything as it was. */
async function putBack(messages: string, aside: string): Promise<void> {
  await rm(messages, { recursive: true });
  await rename(aside, messages);
}

function takeOverIfReadable(path: string, oldPath: string): Pick<Repair, "taken" | "lost"> {
  if (!existsSync(oldPath)) return { taken: undefined, lost: "there were no rows" };
  try {
    return { taken: takeOver(path, oldPath), lost: undefined };
  } catch (error) {
    // In use, or without rights: that is no damage to be mended.
    if (!(error instanceof DataFolderError) || !/is damaged/.test(error.message)) throw error;
    return { taken: undefined, lost: error.message };
  }
}

/** The rows take the time of the entry by which they are made. */
function timed(store: SqliteThreadStore, time: { nowMs: number }): RebuiltRows {
  const at = <T>(atMs: number, write: () => Promise<T>): Promise<T> => {
    time.nowMs = atMs;
    return write();
  };
  return {
    createDirect: (threadId, users, atMs) => at(atMs, () => store.createDirect(threadId, users)),
    touch: (threadId, ownerIds, headBucket, atMs) =>
      at(atMs, () => store.touch([{ threadId, ownerIds, headBucket }])),
    project: (entry, headBucket, atMs) => at(atMs, () => store.project(entry, headBucket)),
    noteActivity: (threadId, headBucket, atMs) => at(atMs, () => store.noteActivity(threadId, headBucket)),
    raiseRead: (positions) => store.raiseRead(positions),
  };
}

async function rebuild(
  log: LevelMessageStore,
  rows: RebuiltRows,
  { taken, loss }: Pick<Repair, "taken" | "loss">,
  progress: Progress,
): Promise<{ readonly made: Rebuilt; readonly ends: ThreadEnds }> {
  const ends = new ThreadEnds();
  const work = new Rebuild(rows, {
    pairs: taken?.pairs ?? new Map(),
    users: taken?.users ?? [],
    epochsMade: loss?.epochsMade ?? new Set(),
  });
  let entries = 0;
  for await (const row of log.rows()) {
    await work.addRow(row.key, row);
    ends.addRow(row.key, row);
    entries += row.entries.length;
    progress(`${entries} entries`);
  }
  await work.finish();
  // Rows without an entry are not shown; a block needs them.
  for (const [key, users] of taken?.pairs ?? []) await rows.createDirect(fromHex(key), users, 0);
  return { made: work.made, ends };
}

async function mute(rows: SqliteThreadStore, taken: TakenOver | undefined): Promise<number> {
  let set = 0;
  for (const { ownerId, threadId } of taken?.mutes ?? []) {
    if (await rows.setMuted(ownerId, threadId, true)) set += 1;
  }
  return set;
}

/** Puts the new rows, once they are on the disk, in the place of the old ones. */
async function swap(path: string, place: string): Promise<string | undefined> {
  const file = await open(path, "r");
  await file.sync().finally(() => file.close());
  const before = `${place}.before-repair-${stamp()}`;
  const hadRows = existsSync(place);
  if (hadRows) await rename(place, before);
  if (existsSync(`${place}-wal`)) await rename(`${place}-wal`, `${before}-wal`);
  await rename(path, place);
  return hadRows ? before : undefined;
}

/** Each half takes note of the other. Until then a start is refused, and a repair can be made again. */
async function meet(log: LevelMessageStore, rows: SqliteThreadStore): Promise<void> {
  try {
    await log.noteRows();
    await rows.noteLogMark(log.mark);
  } finally {
    await rows.close();
  }
}

/** The time, as a part of a file's name. */
function stamp(): string {
  return new Date().toISOString().replace(/[:.]/g, "-");
}

async function removeRows(path: string): Promise<void> {
  for (const end of ["", "-wal", "-shm"]) await rm(`${path}${end}`, { force: true });
}

function emptyLog(path: string): DataFolderError {
  const text = `${path} holds no entry, and the rows know of threads: put the messages back first`;
  return new DataFolderError(path, text);
}
