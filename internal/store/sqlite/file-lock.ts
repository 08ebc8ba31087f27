import { existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { DataFolderError } from "../data-folder-error.ts";
import { openError } from "./sqlite-file.ts";

/**
 * Takes a file for a lock: an empty one of SQLite's, whose lock is the operating system's, so that one which a killed
 * process left behind is free. The returned function removes the file and lets go of it. Throws DataFolderError where it
 * is taken, or cannot be made.
 */
export function lockFile(path: string): () => void {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    db.exec("BEGIN EXCLUSIVE");
    const held = db;
    return () => {
      rmSync(path, { force: true });
      held.close();
    };
  } catch (error) {
    db?.close();
    throw openError(path, error);
  }
}

/**
 * Whether another connection holds the lock of a file of SQLite's: one that was opened to be alone, or `lockFile`.
 * Nothing is written: this asks for a lock that a connection which only reads is never given, and BUSY comes first.
 */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    db.prepare("SELECT 1 FROM sqlite_schema").all();
    return false;
  } catch (error) {
    const shown = openError(path, error);
    return shown instanceof DataFolderError && /is in use/.test(shown.message);
  } finally {
    db?.close();
  }
}
