import { DatabaseSync } from "node:sqlite";
import { BUCKET_SIZE } from "../../base/head.ts";
import { hex } from "../../base/ids.ts";
import { knownThreadsSql } from "./known-threads.ts";
import { SqliteFile } from "./sqlite-file.ts";

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
}

/**
 * Makes the file `path` and takes over from `oldPath`, which is brought up to date for it, what only rows say. Throws
 * DataFolderError where the old one is in use or damaged.
 */
export function takeOver(path: string, oldPath: string): TakenOver {
  new SqliteFile(oldPath).close();
  new SqliteFile(path).close();
  const db = new DatabaseSync(path);
  try {
    db.prepare("ATTACH ? AS old").run(oldPath);
    const kept = Object.fromEntries(
      KEPT_TABLES.map((table) => {
        const { changes } = db.prepare(`INSERT INTO main.${table} SELECT * FROM old.${table}`).run();
        return [table, Number(changes)];
      }),
    );
    return { kept, ...readThreads(db) };
  } finally {
    db.close();
  }
}

function readThreads(db: DatabaseSync): Omit<TakenOver, "kept"> {
  const pairs = new Map<string, readonly [string, string]>();
  const users = new Set<string>();
  const mutes: { ownerId: string; threadId: Uint8Array }[] = [];
  const all = db.prepare("SELECT owner_id, thread_id, other_user_id, is_muted FROM old.thread").iterate();
  for (const row of all) {
    const {
      owner_id: ownerId,
      thread_id: threadId,
      other_user_id: other,
      is_muted,
    } = row as unknown as OldRow;
    users.add(ownerId);
    if (other !== null) {
      users.add(other);
      pairs.set(hex(threadId), [ownerId, other]);
    }
    if (is_muted === 1) mutes.push({ ownerId, threadId });
  }
  const found = db.prepare(knownThreadsSql("old", BUCKET_SIZE)).all() as unknown as KnownRow[];
  const known = found.map(({ thread_id: threadId, seq }) => ({ threadId, seq }));
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
