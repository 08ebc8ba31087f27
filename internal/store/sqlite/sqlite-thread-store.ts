import { statSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import { storeUnavailable } from "../../base/heddle-error.ts";
import { eventLoopTick, type Tick } from "../../stream/each-tick.ts";
import { DataFolderError } from "../data-folder-error.ts";
import { CHANGE_BYTES, type RowsHistory, SqlThreadStore } from "../sql/sql-thread-store.ts";
import { storeStatements } from "../sql/store-statements.ts";
import type { Work } from "../sql/work.ts";
import type { StoreWatch } from "../store-watch.ts";
import type { HistoryMark } from "../thread-store.ts";
import { sqliteCompiler } from "./compiler.ts";
import { Eras } from "./eras.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { WriteQueue } from "./write-queue.ts";

export interface SqliteThreadStoreInit {
  /** The file, made if there is none; its folder must exist. ":memory:" for a store that ends with the process. */
  readonly path: string;
  /** This process's clock. */
  readonly clock: Clock;
  /** The store's clock, of which all times of rows are, in Unix ms. `clock` but in tests of several processes. */
  readonly storeNowMs?: () => number;
  /** Several handles have the file: for tests of what several processes do on another database. */
  readonly isShared?: boolean;
  /** Told of failures and recoveries. */
  readonly watch?: StoreWatch;
  /** No commit is synced: for a file on which nobody relies before it is finished. */
  readonly isScratch?: boolean;
  /** When writes that wait are committed together. The end of the event loop's turn but in tests. */
  readonly tick?: Tick;
}

/** The largest file that a start looks at as a whole, as it does at tables of messages; `admin verify` looks at any. */
const MAX_LOOKED_BYTES = 256 << 20;
const QUEUED_BYTES = 16 * 1024 * 1024;

const statements = storeStatements(sqliteCompiler);

/**
 * Thread rows, groups, blocks, devices, profiles and visibility in one SQLite file (docs/design.md, sections 6 and 8), for one
 * process: the file is locked while it is open. Writes of one turn of the event loop share a transaction (WriteQueue);
 * reads are synchronous inside, so each sees one moment.
 */
export class SqliteThreadStore extends SqlThreadStore {
  readonly #file: SqliteFile;
  readonly #queue: WriteQueue;
  readonly #eras: Eras;

  /** Throws DataFolderError if the file is in use, unreadable or damaged. */
  constructor(init: SqliteThreadStoreInit) {
    const { path, clock, watch, tick = eventLoopTick } = init;
    super(statements, clock);
    const { isScratch, isShared, storeNowMs = () => clock.nowMs() } = init;
    this.#file = new SqliteFile(path, { isScratch, isShared, nowMs: storeNowMs });
    if (!isScratch && !isShared) this.#look(path);
    this.#eras = new Eras(this.#file);
    this.#queue = new WriteQueue({
      file: this.#file,
      eras: this.#eras,
      clock,
      watch,
      tick,
      maxQueuedBytes: QUEUED_BYTES,
    });
    this.#begin(path);
  }

  /** The last committed state: its mark is how many transactions this store has had, over all its starts. */
  get state(): HistoryMark {
    return this.#eras.now;
  }

  /** The mark of the message log beside it of which this store last took note. */
  get notedLogMark(): number {
    return this.#guard(() => this.#eras.notedLogMark);
  }

  /** Takes note of the mark of the message log, durably. */
  async noteLogMark(mark: number): Promise<void> {
    await this.#queue.write(CHANGE_BYTES, () => this.#eras.noteLogMark(mark));
  }

  /** Copies the file, and resolves to a call that lets writes go on: until then the copy is what this store holds. */
  async copyTo(path: string): Promise<() => void> {
    let release = () => {};
    try {
      await this.#file.copyTo(path, () => {
        release = this.#queue.hold();
      });
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether writes succeed at present. */
  ready(): boolean {
    return this.#queue.ready;
  }

  /** Commits what waits and closes; later calls reject with STORE_UNAVAILABLE. */
  async close(): Promise<void> {
    void this.flush();
    this.#queue.close();
    this.#file.close();
  }

  protected get history(): RowsHistory {
    return this.#eras;
  }

  protected async read<T>(work: () => Work<T>): Promise<T> {
    return this.#guard(() => this.#file.do(work()));
  }

  protected write<T>(bytes: number, work: () => Work<T>): Promise<T> {
    return this.#queue.write(bytes, () => this.#file.do(work()));
  }

  /** A damaged page would else serve what is wrong, or nothing, until somebody asks `verify`. Throws DataFolderError. */
  #look(path: string): void {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOOKED_BYTES) return;
    let damage: unknown;
    try {
      damage = this.#file.findDamage();
    } catch (error) {
      damage = error;
    }
    if (damage === undefined) return;
    this.#file.close();
    throw DataFolderError.damaged(path, damage);
  }

  #begin(path: string): void {
    try {
      this.#eras.begin();
    } catch (error) {
      this.#file.close();
      throw DataFolderError.unusable(path, error);
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeUnavailable("thread", error);
    }
  }
}
