import { DatabaseSync } from "node:sqlite";
import { BUCKET_SIZE } from "../../base/head.ts";
import { hex } from "../../base/ids.ts";
import { knownThreadsSql } from "./known-threads.ts";
import { isSqliteError, SqliteFile } from "./sqlite-file.ts";

/** Tables that are made from the log, or say things of one file alone. A new table belongs here or to KEPT_TABLES. */
export const REBUILT_TABLES = [
  "activity",
  "era",
  "group_change",
  "group_thread",
  "member",
  "meta",
  "owner",
  "thread",
] as const;

/** Tables that say what no log says: a file that is made anew takes them over from the one before it, as they are. */
export const KEPT_TABLES = ["block", "device", "profile", "visibility"] as const;

/** What a new file has taken over from the one before it, and what that one knew of threads. */
export interface TakenOver {
  /** Rows, by table. */
  readonly kept: Readonly<Record<string, number>>;
  /** Both users of each direct thread, by thread id in hex. */
  readonly pairs: ReadonlyMap<string, readonly [string, string]>;
  readonly users: ReadonlySet<string>;
  /** Threads that have had entries, with the highest seq of which the rows speak. See knownThreadsSql. */
  readonly known: readonly { readonly threadId: Uint8Array; readonly seq: number }[];
  readonly mutes: readonly { readonly ownerId: string; readonly threadId: Uint8Array }[];
  /** What is wrong with the one before it, so that some of all this may be lost; undefined where it is well. */
  readonly damage: string | undefined;
}

/**
 * Makes the file `path` and takes over from `oldPath`, which is brought up to date for it, what only rows say: of a
 * damaged one as far as it can be read. Throws DataFolderError where it is in use or cannot be opened.
 */
export function takeOver(path: string, oldPath: string): TakenOver {
  new SqliteFile(oldPath).close();
  new SqliteFile(path).close();
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA synchronous = OFF"); // Nobody relies on the new file before it is finished, and then it is synced.
    db.prepare("ATTACH ? AS old").run(oldPath);
    const kept = Object.fromEntries(KEPT_TABLES.map((table) => [table, copyTable(db, table)]));
    return { kept, ...readThreads(db), damage: damageOf(db) };
  } finally {
    db.close();
  }
}

/** How many rows could be copied: one by one, for a transaction that has met damage cannot be committed. */
function copyTable(db: DatabaseSync, table: string): number {
  const columns = db.prepare(`PRAGMA main.table_info(${table})`).all().length;
  const places = Array.from({ length: columns }, () => "?").join(", ");
  const put = db.prepare(`INSERT OR IGNORE INTO main.${table} VALUES (${places})`);
  let copied = 0;
  readWhatCanBe(() => {
    const all = db.prepare(`SELECT * FROM old.${table}`).iterate();
    for (const row of all) copied += Number(put.run(...Object.values(row)).changes);
  });
  return copied;
}

/** The first thing that SQLite's own check finds. */
function damageOf(db: DatabaseSync): string | undefined {
  let found = "it cannot be read";
  readWhatCanBe(() => {
    found = String(db.prepare("PRAGMA old.integrity_check(1)").get()?.integrity_check);
  });
  return found === "ok" ? undefined : found.replaceAll("\n", " ");
}

/** Reads up to where SQLite meets damage: `damageOf` says that there is some. */
function readWhatCanBe(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!isSqliteError(error)) throw error;
  }
}

function readThreads(db: DatabaseSync): Omit<TakenOver, "kept" | "damage"> {
  const pairs = new Map<string, readonly [string, string]>();
  const users = new Set<string>();
  const mutes: { ownerId: string; threadId: Uint8Array }[] = [];
  readWhatCanBe(() => {
    const all = db.prepare("SELECT owner_id, thread_id, other_user_id, is_muted FROM old.thread").iterate();
    for (const row of all as Iterable<unknown>) {
      const { owner_id: ownerId, thread_id: threadId, other_user_id: other, is_muted } = row as OldRow;
      users.add(ownerId);
      if (other !== null) {
        users.add(other);
        pairs.set(hex(threadId), [ownerId, other]);
      }
      if (is_muted === 1) mutes.push({ ownerId, threadId });
    }
  });
  let known: TakenOver["known"] = [];
  readWhatCanBe(() => {
    const found = db.prepare(knownThreadsSql("old", BUCKET_SIZE)).all() as unknown as KnownRow[];
    known = found.map(({ thread_id: threadId, seq }) => ({ threadId, seq }));
  });
  return { pairs, users, mutes, known };
}

interface KnownRow {
  readonly thread_id: Uint8Array;
  readonly seq: number;
}

interface OldRow {
  readonly owner_id: string;
  readonly thread_id: Uint8Array;
  readonly other_user_id: string | null;
  readonly is_muted: number;
}
