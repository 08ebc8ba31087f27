import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { type Clock, sleep } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { DataFolderError } from "../data-folder-error.ts";
import type { StoreWatch } from "../store-watch.ts";
import { forgetClosed, noteClosed, wasClosed } from "./files/closed-note.ts";
import { lookAtFiles } from "./files/level-files.ts";
import { lookAtTables } from "./files/table-look.ts";

export type Level = ClassicLevel<Uint8Array, Uint8Array>;

/** How long to wait before the first and between later tries to come back, in ms. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 1_000;

/** What a probe writes before LevelDB is closed and opened again: enough to hold its new manifest and log. */
const PROBE_BYTES = 256 * 1024;

/**
 * Tables of more bytes than this are looked at whole only where the folder was not closed in order, in bytes. So an abort
 * in the middle of serving leads to a start that names the damaged file, never to one abort after the other, and a large
 * folder that is well opens in seconds.
 */
const WHOLE_LOOK_BYTES = 256 * 1024 * 1024;

/** How often it is told how far a look has come, in ms. */
const TELL_EVERY_MS = 1_000;

export interface LevelFolderInit {
  readonly path: string;
  readonly clock: Clock;
  readonly watch?: StoreWatch | undefined;
  /** Up to how many bytes of tables are looked at whole in any case. Default 256 MiB. */
  readonly wholeLookBytes?: number | undefined;
}

/**
 * A folder of LevelDB that comes back by itself.
 *
 * A write that failed (a full disk, an I/O error) may have left half a record in the log. Whatever LevelDB would
 * write behind it could be dropped by the next recovery, acknowledged or not, and after a failed sync LevelDB
 * refuses writes for good anyway. So the first failed write ends writing: the folder is closed and opened again, which
 * reads the log up to the torn record and starts a new one, before anything more is written. Until a probe file shows
 * that the disk takes writes again the failed handle stays open, because it still serves reads.
 */
export class LevelFolder {
  readonly #init: LevelFolderInit;
  readonly #db: Level;
  readonly #stop = new AbortController();
  #writable = true;
  #recovery: Promise<void> | undefined;

  private constructor(init: LevelFolderInit, db: Level) {
    this.#init = init;
    this.#db = db;
  }

  /** Opens the folder, makes it if there is none. Rejects with DataFolderError, for damage before anything is changed. */
  static async open(init: LevelFolderInit): Promise<LevelFolder> {
    try {
      await lookBeforeOpening(init);
      await forgetClosed(init.path);
      // Only now: what is constructed opens by itself.
      const db: Level = new ClassicLevel(init.path, { keyEncoding: "view", valueEncoding: "view" });
      await db.open();
      return new LevelFolder(init, db);
    } catch (error) {
      throw openError(init.path, error);
    }
  }

  /** LevelDB, for reads, and for writes while `writable`. Throws STORE_UNAVAILABLE while it is closed. */
  get db(): Level {
    if (this.#db.status !== "open") throw storeUnavailable("message");
    return this.#db;
  }

  /** False from the first failed write until the folder has been opened again. */
  get writable(): boolean {
    return this.#writable;
  }

  /** Says that a write failed: no more writes until the folder has been opened again, which starts now. */
  fail(error: unknown): void {
    if (this.#recovery || this.#stop.signal.aborted) return;
    this.#writable = false;
    this.#init.watch?.failed(error);
    this.#recovery = this.#recover().finally(() => {
      this.#recovery = undefined;
    });
  }

  /** No more writes, for good: the folder is about to be closed. Those under way go on. */
  stopWriting(): void {
    this.#writable = false;
    this.#stop.abort();
  }

  /** Waits for a running recovery step and closes. The folder's lock is free afterwards. */
  async close(): Promise<void> {
    const isWell = this.#recovery === undefined;
    this.stopWriting();
    await this.#recovery;
    if (this.#db.status === "closed") return;
    await this.#db.close();
    if (isWell) await noteClosed(this.#init.path);
  }

  async #recover(): Promise<void> {
    const { signal } = this.#stop;
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      await sleep(this.#init.clock, waitMs, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await probe(join(this.#init.path, "probe"));
        // Reads go on meanwhile: tables never change, and a large folder takes seconds.
        const looked = await lookWhileOpen(this.#init);
        await this.#db.close();
        await lookBeforeOpening(this.#init, looked);
        await this.#db.open();
      } catch (error) {
        // Else the disk is not well yet, and `failed` was told why.
        if (error instanceof DataFolderError) this.#init.watch?.failed(error);
        continue;
      }
      this.#writable = !signal.aborted;
      this.#init.watch?.recovered();
      return;
    }
  }
}

/** Writes, syncs and removes a file. LevelDB ignores names that are not its own. */
async function probe(path: string): Promise<void> {
  try {
    const file = await open(path, "w");
    try {
      await file.write(new Uint8Array(PROBE_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Refuses what LevelDB would leave out without a word, or abort at; tells of the end of a write that nobody was told is
 * kept. Everything that opens a folder looks first: no process may end by what is in a file.
 */
async function lookBeforeOpening(
  init: LevelFolderInit,
  looked: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { path, watch } = init;
  const { damages, torn, tables, tableBytes } = await lookAtFiles(path);
  const isSmall = tableBytes <= (init.wholeLookBytes ?? WHOLE_LOOK_BYTES);
  const isWhole = isSmall || !(await wasClosed(path));
  const [damage] =
    damages.length > 0
      ? damages
      : await lookAtTables(
          path,
          tables.filter((file) => !looked.has(file)),
          { isWhole, progress: tableProgress(init, tableBytes) },
        );
  if (damage) throw DataFolderError.damaged(join(path, damage.file), new Error(damage.why));
  for (const { file, why, bytes } of torn) {
    watch?.noticed?.(
      `${file}: ${why}: nobody was told that these ${bytes} bytes are kept, so they are left out`,
    );
  }
}

/**
 * Every block of the tables of a folder that is open. Returns the names of those that are well; of others, and of those
 * that are made meanwhile, the look before opening says what is wrong.
 */
async function lookWhileOpen(init: LevelFolderInit): Promise<ReadonlySet<string>> {
  const { tables, tableBytes, version } = await lookAtFiles(init.path);
  const sizes = [...(version?.tables.values() ?? [])];
  const well = new Set<string>();
  const progress = tableProgress(init, tableBytes);
  let bytes = 0;
  for (const [done, file] of tables.entries()) {
    progress(done, tables.length, bytes);
    bytes += sizes[done]?.bytes ?? 0;
    // A compaction may have deleted it.
    const bad = await lookAtTables(init.path, [file], { isWhole: true }).catch(() => [{ file, why: "gone" }]);
    if (bad.length === 0) well.add(file);
  }
  return well;
}

/** Tells the watch once a second how far the look has come. */
function tableProgress({ clock, watch }: LevelFolderInit, tableBytes: number) {
  let toldAtMs = clock.monotonicMs();
  return (done: number, of: number, bytes: number) => {
    if (clock.monotonicMs() - toldAtMs < TELL_EVERY_MS) return;
    toldAtMs = clock.monotonicMs();
    const mega = (some: number) => Math.round(some / 1_000_000);
    watch?.progress?.(`looked at ${done} of ${of} tables, ${mega(bytes)} of ${mega(tableBytes)} MB`);
  };
}

function openError(path: string, error: unknown): DataFolderError {
  if (error instanceof DataFolderError) return error;
  const cause = (error as { cause?: unknown }).cause ?? error;
  const code = (cause as { code?: string }).code;
  if (code === "LEVEL_LOCKED") return DataFolderError.locked(path, cause);
  return code === "LEVEL_CORRUPTION"
    ? DataFolderError.damaged(path, cause)
    : DataFolderError.unusable(path, cause);
}
