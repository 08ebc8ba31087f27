import { existsSync, readFileSync } from "node:fs";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { DataFolderError } from "../data-folder-error.ts";
import type { SqlValue, Statement } from "../sql/statement.ts";
import type { Step, Work } from "../sql/work.ts";
import { MIGRATIONS } from "./migrations.ts";
import { walEnd } from "./wal-file.ts";

/** SQLite's primary result codes that this file tells apart. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

/**
 * What every connection is set to. FULL: a commit is synced before it is answered. Temporary tables in memory, so that
 * sorting needs no disk.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA temp_store = MEMORY;
`;

/**
 * One process owns the file, which makes a second one fail at opening, and keeps the WAL's index in memory instead of a
 * mapped file that a full disk would turn into SIGBUS.
 */
const ALONE = "PRAGMA locking_mode = EXCLUSIVE";

export interface SqliteFileInit {
  /** No commit is synced: nobody relies on the file before it is finished. */
  readonly isScratch?: boolean | undefined;
  /** Other handles of this process may have the file too: for tests. */
  readonly isShared?: boolean | undefined;
  /** What time it is for the statements, in Unix ms. The machine's clock where it is not given. */
  readonly nowMs?: () => number;
}

/** Pages that are copied at a time: 1 MiB, about a millisecond in which other work waits. */
const COPY_PAGES = 256;

/**
 * One SQLite file through node:sqlite. Kysely's own driver is not used: its transactions are asynchronous, so others
 * could come between their statements, while here a transaction is one synchronous call.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #init: SqliteFileInit;
  readonly #prepared = new Map<string, StatementSync>();
  #db: DatabaseSync;

  /**
   * Opens the file, makes it if there is none, and brings its schema up to date. Throws DataFolderError.
   */
  constructor(path: string, init: SqliteFileInit = {}) {
    this.#path = path;
    this.#init = init;
    this.#db = open(path, init);
  }

  /** Closes and opens again, after an error that may have left the connection unwell. Throws as the constructor does. */
  reopen(): void {
    this.close();
    this.#db = open(this.#path, this.#init);
  }

  /** Closes the file and frees its lock. A second time does nothing. */
  close(): void {
    this.#prepared.clear();
    if (this.#db.isOpen) this.#db.close();
  }

  /** What is wrong with the pages, in SQLite's words; undefined if nothing is. Reads all of the file. */
  findDamage(): string | undefined {
    const found = this.#db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    return found.quick_check === "ok" ? undefined : found.quick_check;
  }

  /** Writes what is there already: throws as every write would now. */
  probe(): void {
    this.transaction(() => this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`));
  }

  /** All rows. */
  all<P extends Readonly<Record<string, SqlValue>>, R>(statement: Statement<P, R>, values: P): R[] {
    return this.#prepare(statement.sql).all(...statement.bind(values)) as R[];
  }

  /** The first row. */
  get<P extends Readonly<Record<string, SqlValue>>, R>(statement: Statement<P, R>, values: P): R | undefined {
    return this.#prepare(statement.sql).get(...statement.bind(values)) as R | undefined;
  }

  /** How many rows changed. */
  run<P extends Readonly<Record<string, SqlValue>>>(statement: Statement<P, unknown>, values: P): number {
    return Number(this.#prepare(statement.sql).run(...statement.bind(values)).changes);
  }

  /** Does the work in one go: nothing comes between its statements. Locks are nothing here, since a transaction is alone. */
  do<T>(work: Work<T>): T {
    let step = work.next();
    while (!step.done) step = work.next(this.#take(step.value));
    return step.value;
  }

  /** Does the work in one transaction; if it throws, nothing of it stays. */
  transaction<T>(work: () => T): T {
    return transaction(this.#db, work);
  }

  /**
   * Copies the file, as it is when the copy is finished, while it goes on being used. Calls `beforeEnd` once, when little
   * is left to copy: with no writes from then on, the copy is what the file is when this resolves.
   */
  async copyTo(path: string, beforeEnd: () => void): Promise<void> {
    let isNear = false;
    const near = () => {
      if (!isNear) beforeEnd();
      isNear = true;
    };
    const pages = this.#db.prepare("PRAGMA page_count").get() as { page_count: number };
    if (pages.page_count <= COPY_PAGES) near();
    await backup(this.#db, path, {
      rate: COPY_PAGES,
      progress: ({ remainingPages }) => {
        if (remainingPages <= COPY_PAGES) near();
      },
    });
  }

  #take(step: Step): unknown {
    switch (step.kind) {
      case "rows":
        return this.all(step.statement, step.values);
      case "row":
        return this.get(step.statement, step.values);
      case "count":
        return this.run(step.statement, step.values);
      default:
        return undefined;
    }
  }

  #prepare(sql: string): StatementSync {
    let prepared = this.#prepared.get(sql);
    if (!prepared) {
      prepared = this.#db.prepare(sql);
      this.#prepared.set(sql, prepared);
    }
    return prepared;
  }
}

/** Whether SQLite threw this, and not the code around it. */
export function isSqliteError(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "ERR_SQLITE_ERROR";
}

/** Whether SQLite found no room on the disk: the connection is well, and the next write may succeed. */
export function isDiskFull(error: unknown): boolean {
  return isSqliteError(error) && primaryCode(error) === FULL;
}

function open(path: string, { isScratch, isShared, nowMs = Date.now }: SqliteFileInit): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    lookAtWal(`${path}-wal`);
    db = new DatabaseSync(path);
    db.function("store_now_ms", () => nowMs());
    if (!isShared) db.exec(ALONE);
    db.exec(PRAGMAS);
    if (isScratch) db.exec("PRAGMA synchronous = OFF");
    migrate(db, path);
    return db;
  } catch (error) {
    if (db?.isOpen) db.close();
    throw openError(path, error);
  }
}

/** Runs the steps that the file has not had, all or none. Also takes the file's lock, which only a write does. */
function migrate(db: DatabaseSync, path: string): void {
  transaction(db, () => {
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > MIGRATIONS.length) {
      throw new DataFolderError(
        path,
        `${path} was written by a newer Heddle: start that one, or restore a backup`,
      );
    }
    for (const step of MIGRATIONS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK"); // SQLite has rolled back by itself after some errors.
    throw error;
  }
}

/** Refuses a damaged write-ahead file: SQLite would drop what was committed behind the damage, and go on. */
function lookAtWal(path: string): void {
  const end = existsSync(path) ? walEnd(readFileSync(path)) : "whole";
  if (typeof end === "object") throw DataFolderError.damaged(path, new Error(end.damaged));
}

/** The DataFolderError for what SQLite threw while a file was opened; what it did not throw as it is. */
export function openError(path: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  const code = primaryCode(error);
  if (code === BUSY || code === LOCKED) return DataFolderError.locked(path, error);
  if (code === CORRUPT || code === NOT_A_DATABASE) return DataFolderError.damaged(path, error);
  return DataFolderError.unusable(path, error);
}

/** Without the extension that says more precisely what went wrong. */
function primaryCode(error: unknown): number {
  return (error as { errcode: number }).errcode & 0xff;
}
