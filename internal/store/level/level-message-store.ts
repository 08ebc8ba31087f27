import type { Clock } from "../../base/clock.ts";
import { logDamaged, storeUnavailable } from "../../base/heddle-error.ts";
import { rowKey } from "../keys.ts";
import type { EntryCellPut, MessageStore, Row, RowKey, RowQuery, VersionedCell } from "../message-store.ts";
import type { StoreWatch } from "../store-watch.ts";
import type { HistoryMark } from "../thread-store.ts";
import { cellKey, ENTRY_KEY_BYTES } from "./cell-keys.ts";
import { CommitQueue } from "./commit-queue.ts";
import { HeadCache } from "./head-cache.ts";
import { LevelFolder } from "./level-folder.ts";
import { LogMark, MARK_KEY } from "./log-mark.ts";
import { type ScannedRow, scanLog } from "./log-scan.ts";
import { readRow } from "./row-reader.ts";

export interface LevelMessageStoreInit {
  /** The folder; made if there is none. */
  readonly path: string;
  readonly clock: Clock;
  /** Told of failures and recoveries. */
  readonly watch?: StoreWatch;
  /** The last committed state of the rows beside this log, of which it takes note with every batch. */
  readonly rows?: () => HistoryMark | undefined;
  /** Up to how many bytes of tables are looked at whole in any case (LevelFolder). */
  readonly wholeLookBytes?: number;
  /** Bytes of writes that may wait or be under way. Default 64 MiB: over a second of what a fast disk takes. */
  readonly maxQueuedBytes?: number;
}

const DEFAULT_QUEUED_BYTES = 64 * 1024 * 1024;

/** One synced batch: large enough that its sync is shared by all who wait, small enough for LevelDB's 4 MiB buffer. */
const BATCH_BYTES = 2 * 1024 * 1024;

/** Rows whose heads are known without a read, per generation of HeadCache: at most about 26 MB. */
const CACHED_ROWS = 32_768;

/** What a write costs in memory beyond its bytes: objects, a promise. */
const WRITE_OVERHEAD_BYTES = 200;

/**
 * The message log on LevelDB (docs/design.md, section 5), for one process: the folder is locked while it is open.
 * `true` from checkAndPut, and an answered put, mean that LevelDB has synced it. When the disk fails, writes reject
 * with STORE_UNAVAILABLE until the folder has been opened again, which happens by itself within about a second of
 * the disk being well; reads go on meanwhile where they can.
 */
export class LevelMessageStore implements MessageStore {
  readonly #folder: LevelFolder;
  readonly #queue: CommitQueue;
  readonly #mark: LogMark;

  private constructor(folder: LevelFolder, queue: CommitQueue, mark: LogMark) {
    this.#folder = folder;
    this.#queue = queue;
    this.#mark = mark;
  }

  /** Rejects with DataFolderError if the folder is in use, unreadable or damaged. */
  static async open(init: LevelMessageStoreInit): Promise<LevelMessageStore> {
    const { path, clock, watch, wholeLookBytes } = init;
    const folder = await LevelFolder.open({ path, clock, watch, wholeLookBytes });
    const mark = new LogMark(init.rows ?? (() => undefined));
    mark.loadMark(await folder.db.get(MARK_KEY));
    const queue = new CommitQueue({
      folder,
      mark,
      heads: new HeadCache(CACHED_ROWS),
      clock: init.clock,
      maxQueuedBytes: init.maxQueuedBytes ?? DEFAULT_QUEUED_BYTES,
      maxBatchBytes: BATCH_BYTES,
      watch: init.watch,
    });
    return new LevelMessageStore(folder, queue, mark);
  }

  /** Whether writes are taken now. */
  ready(): boolean {
    return this.#folder.writable && !this.#queue.stalled;
  }

  /** The number of the last batch that is known to be durable: they are counted over all starts. */
  get mark(): number {
    return this.#mark.mark;
  }

  /** The state of the rows that the log last took note of; undefined if an older Heddle wrote it. */
  get notedRows(): HistoryMark | undefined {
    return this.#mark.noted;
  }

  /** Takes note of the rows' state now, durably. */
  async noteRows(): Promise<void> {
    await this.#queue.commit([], WRITE_OVERHEAD_BYTES);
  }

  checkAndPut(
    row: RowKey,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    entries: readonly EntryCellPut[],
  ): Promise<boolean> {
    let bytes = WRITE_OVERHEAD_BYTES + head.length;
    for (const entry of entries) bytes += ENTRY_KEY_BYTES + entry.value.length;
    return this.#queue.commit({ row, expected, head, entries }, bytes);
  }

  async put(row: RowKey, family: "x" | "r", cells: readonly VersionedCell[]): Promise<void> {
    const key = rowKey(row);
    let bytes = WRITE_OVERHEAD_BYTES;
    const keyed = cells.map(({ qualifier, timestamp, value }) => {
      bytes += ENTRY_KEY_BYTES + qualifier.length + value.length;
      return { key: cellKey(key, family, qualifier), timestamp, value };
    });
    await this.#queue.commit(keyed, bytes);
  }

  async get(row: RowKey, query: RowQuery): Promise<Row> {
    const { db } = this.#folder;
    try {
      return await readRow(db, rowKey(row), query);
    } catch (error) {
      // Of what no checksum guards when it is read, LevelDB notices this much: a block that cannot be unpacked.
      const isDamaged = (error as { code?: unknown }).code === "LEVEL_CORRUPTION";
      throw isDamaged ? logDamaged(undefined, error) : storeUnavailable("message", error);
    }
  }

  /** Resolves when no write is under way, to a call that lets them go on: until then writes wait. For moments. */
  hold(): Promise<() => void> {
    return this.#queue.hold();
  }

  /** All there is, for tools (log-scan.ts). Rows without h:head, m or r do not exist. */
  rows(): AsyncGenerator<ScannedRow> {
    return scanLog(this.#folder.db);
  }

  /** Waits for writes under way and closes; later calls reject with STORE_UNAVAILABLE. */
  async close(): Promise<void> {
    this.#folder.stopWriting();
    await this.#queue.drained();
    await this.#folder.close();
  }
}
