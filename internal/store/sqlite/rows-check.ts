import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { Role, Roster } from "../../base/group.ts";
import { BUCKET_SIZE } from "../../base/head.ts";
import { equalBytes } from "../../base/ids.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { DataFolderError } from "../data-folder-error.ts";
import type { HistoryMark } from "../thread-store.ts";
import { isLocked } from "./file-lock.ts";
import { knownThreadsSql } from "./known-threads.ts";
import { MIGRATIONS } from "./migrations.ts";
import { isSqliteError, openError } from "./sqlite-file.ts";
import { walEnd } from "./wal-file.ts";

/** Problems that are named of one kind. */
const MAX_PROBLEMS = 20;

/** What the tables must agree on: each gives a row, with the word `problem`, for everything that is not so. */
const CROSS_CHECKS: readonly string[] = [
  `SELECT 'the row of ' || a.owner_id || ' for the thread with ' || a.other_user_id || ' has none beside it' AS problem
   FROM thread a WHERE a.kind = 'direct' AND NOT EXISTS
     (SELECT 1 FROM thread b WHERE b.owner_id = a.other_user_id AND b.thread_id = a.thread_id)`,
  `SELECT 'group ' || lower(hex(g.thread_id)) || ' counts ' || g.member_count || ' members and has others' AS problem
   FROM group_thread g WHERE g.member_count <> (SELECT count(*) FROM member m WHERE m.thread_id = g.thread_id)`,
  `SELECT 'member ' || m.user_id || ' of group ' || lower(hex(m.thread_id)) || ' has no row' AS problem
   FROM member m WHERE NOT EXISTS
     (SELECT 1 FROM thread t WHERE t.owner_id = m.user_id AND t.thread_id = m.thread_id)`,
  // A block makes both rows of its direct thread.
  `SELECT 'the block of ' || b.other_user_id || ' by ' || b.owner_id || ' has no thread of the two' AS problem
   FROM block b WHERE NOT EXISTS
     (SELECT 1 FROM thread t WHERE t.owner_id = b.owner_id AND t.other_user_id = b.other_user_id)`,
  `SELECT 'rows of ' || t.owner_id || ' have versions that were never given' AS problem
   FROM thread t LEFT JOIN owner o ON o.owner_id = t.owner_id
   GROUP BY t.owner_id HAVING max(t.version) > ifnull(o.version, 0)`,
];

/**
 * A file of rows that nobody uses, looked at and left as it is: nothing is written beside it either. SQLite would write
 * what its write-ahead file holds into the file, so where there is one a copy is looked at.
 */
export class RowsCheck {
  /** In a sentence each. */
  readonly problems: string[] = [];
  /** The mark of the message log of which the rows took note; 0: of none. */
  notedLogMark = 0;
  readonly #eras = new Map<number, number>();
  #db: DatabaseSync | undefined;
  #copy: string | undefined;
  /** The tables are those of this program. */
  #isCurrent = false;

  /** Throws DataFolderError where another process has it, or where there is no room for a copy. */
  constructor(path: string) {
    if (isLocked(path)) throw DataFolderError.locked(path, undefined);
    try {
      this.#look(path);
    } catch (error) {
      const shown = openError(path, error);
      if (shown instanceof DataFolderError && !/is damaged/.test(shown.message)) throw this.#closed(shown);
      if (!isSqliteError(error)) throw this.#closed(error);
      this.problems.push((error as Error).message);
    }
  }

  /** Whether the rows have been in this state. Where they cannot be read, it is not said that they have not. */
  knows(state: HistoryMark): boolean {
    return this.#eras.size === 0 || state.mark <= (this.#eras.get(state.era) ?? -1);
  }

  /** The threads that the rows know, as far as they can be read. */
  *threadIds(): Generator<Uint8Array> {
    try {
      const found = this.#db?.prepare("SELECT DISTINCT thread_id FROM thread").iterate() ?? [];
      for (const row of found) yield row.thread_id as Uint8Array;
    } catch (error) {
      if (!isSqliteError(error)) throw error;
    }
  }

  /** The threads that have had entries by the rows, as far as these can be read. See knownThreadsSql. */
  *knownThreads(): Generator<{ readonly threadId: Uint8Array; readonly seq: number }> {
    if (!this.#isCurrent || !this.#db) return;
    try {
      for (const row of this.#db.prepare(knownThreadsSql("main", BUCKET_SIZE)).iterate())
        yield { threadId: row.thread_id as Uint8Array, seq: Number(row.seq) };
    } catch (error) {
      if (!isSqliteError(error)) throw error;
    }
  }

  /** A group as the rows have it; undefined where they do not know it, or cannot be read. */
  roster(threadId: Uint8Array): Roster | undefined {
    if (!this.#isCurrent || !this.#db) return undefined;
    try {
      const group = this.#db.prepare("SELECT * FROM group_thread WHERE thread_id = ?").get(threadId);
      if (!group) return undefined;
      const found = this.#db
        .prepare("SELECT user_id, role, joined_seq FROM member WHERE thread_id = ?")
        .all(threadId);
      const members = found.map((row) => {
        const userId = String(row.user_id);
        return [userId, { userId, role: row.role as Role, joinedSeq: Number(row.joined_seq) }] as const;
      });
      const { applied_seq, name, is_large } = group;
      return {
        appliedSeq: Number(applied_seq),
        name: String(name),
        isLarge: Number(is_large) === 1,
        members: new Map(members),
      };
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      return undefined;
    }
  }

  /** Removes the copy, if there is one. */
  close(): void {
    this.#db?.close();
    this.#db = undefined;
    if (this.#copy) rmSync(this.#copy, { recursive: true, force: true });
  }

  #closed(error: unknown): unknown {
    this.close();
    return error;
  }

  #look(path: string): void {
    const wal = `${path}-wal`;
    const hasWal = existsSync(wal) && statSync(wal).size > 0;
    const end = hasWal ? walEnd(readFileSync(wal)) : "whole";
    if (typeof end === "object") this.problems.push(end.damaged);
    this.#db = hasWal
      ? new DatabaseSync(this.#copyOf(path))
      : new DatabaseSync(`${pathToFileURL(path)}?immutable=1`, { readOnly: true });
    const found = this.#db.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all();
    this.problems.push(...found.map((row) => String(row.integrity_check)).filter((text) => text !== "ok"));
    const version = Number(this.#db.prepare("PRAGMA user_version").get()?.user_version);
    // The next start brings it up to date, and until then there is nothing that this could compare.
    if (version === MIGRATIONS.length) this.#crossCheck(this.#db);
  }

  #copyOf(path: string): string {
    try {
      this.#copy = mkdtempSync(join(tmpdir(), "heddle-verify-"));
      const copy = join(this.#copy, "threads.sqlite");
      copyFileSync(path, copy);
      copyFileSync(`${path}-wal`, `${copy}-wal`);
      return copy;
    } catch (error) {
      const { message } = error as Error;
      const what = `${path} was not closed in order, so a copy is looked at, and there can be none in ${tmpdir()}`;
      throw this.#closed(new DataFolderError(path, `${what} (${message}): make room, or set TMPDIR`, error));
    }
  }

  /** The id of a direct thread is made of its two users, so it proves their names. */
  #checkDirect(db: DatabaseSync): void {
    const rows = db
      .prepare("SELECT owner_id, other_user_id, thread_id FROM thread WHERE kind = 'direct'")
      .iterate();
    let found = 0;
    for (const { owner_id, other_user_id, thread_id } of rows) {
      const [owner, other] = [String(owner_id), String(other_user_id)];
      if (equalBytes(directThreadId(owner, other), thread_id as Uint8Array)) continue;
      if (found++ < MAX_PROBLEMS)
        this.problems.push(`the thread of ${owner} with ${other} has the id of another`);
    }
  }

  #crossCheck(db: DatabaseSync): void {
    this.#checkDirect(db);
    this.#isCurrent = true;
    for (const check of CROSS_CHECKS) {
      const found = db.prepare(`${check} LIMIT ${MAX_PROBLEMS}`).all() as { problem: string }[];
      this.problems.push(...found.map(({ problem }) => problem));
    }
    const value = (name: string) =>
      Number(db.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.value ?? 0);
    const mark = value("mark");
    this.notedLogMark = value("log_mark");
    for (const row of db.prepare("SELECT era, last_mark FROM era").all())
      this.#eras.set(Number(row.era), Number(row.last_mark ?? mark));
  }
}
