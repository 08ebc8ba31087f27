import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { HistoryMark } from "../thread-store.ts";
import { MIGRATIONS } from "./migrations.ts";
import { openError } from "./sqlite-file.ts";
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
  `SELECT 'rows of ' || t.owner_id || ' have versions that were never given' AS problem
   FROM thread t LEFT JOIN owner o ON o.owner_id = t.owner_id
   GROUP BY t.owner_id HAVING max(t.version) > ifnull(o.version, 0)`,
];

/** What a look at the file of the rows found. */
export interface RowsCheck {
  /** In a sentence each. */
  readonly problems: readonly string[];
  /** The mark of the message log of which the rows took note; 0: of none. */
  readonly notedLogMark: number;
  /** Whether the rows have been in this state. */
  readonly knows: (state: HistoryMark) => boolean;
}

/** Checks a file of rows that nobody uses, and leaves it as it is. Throws DataFolderError where another process has it. */
export function checkRows(path: string): RowsCheck {
  const wal = existsSync(`${path}-wal`) ? walEnd(readFileSync(`${path}-wal`)) : "whole";
  // SQLite would drop what stands behind the damage.
  if (typeof wal === "object") return damagedRows(wal.damaged);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; ROLLBACK");
    const problems = integrityProblems(db);
    return problems.length > 0 ? damagedRows(...problems) : crossCheck(db);
  } catch (error) {
    const shown = openError(path, error);
    const isDamage = shown instanceof Error && /is damaged/.test(shown.message);
    if (isDamage) return damagedRows(error instanceof Error ? error.message : String(error));
    throw shown;
  } finally {
    db?.close();
  }
}

function damagedRows(...problems: string[]): RowsCheck {
  return { problems, notedLogMark: 0, knows: () => true };
}

function integrityProblems(db: DatabaseSync): string[] {
  const found = db.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all() as { integrity_check: string }[];
  return found.map((row) => row.integrity_check).filter((text) => text !== "ok");
}

function crossCheck(db: DatabaseSync): RowsCheck {
  const version = Number(db.prepare("PRAGMA user_version").get()?.user_version);
  // The next start brings it up to date, and until then there is nothing that this could compare.
  if (version !== MIGRATIONS.length) return damagedRows();
  const problems = CROSS_CHECKS.flatMap((check) => {
    const found = db.prepare(`${check} LIMIT ${MAX_PROBLEMS}`).all() as { problem: string }[];
    return found.map(({ problem }) => problem);
  });
  const value = (name: string) =>
    Number(db.prepare("SELECT value FROM meta WHERE name = ?").get(name)?.value ?? 0);
  const mark = value("mark");
  const eras = new Map(
    db
      .prepare("SELECT era, last_mark FROM era")
      .all()
      .map((row) => [Number(row.era), Number(row.last_mark ?? mark)]),
  );
  return {
    problems,
    notedLogMark: value("log_mark"),
    knows: (state) => state.mark <= (eras.get(state.era) ?? -1),
  };
}
