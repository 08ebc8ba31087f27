import { MAX_SEQ } from "../../base/ids.ts";
import type { threadStatements } from "../sql/thread-statements.ts";
import { toThreadRow } from "../sql/viewed-rows.ts";
import type { SyncPage, ThreadRow } from "../thread-store.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** A place in the order of `list`. */
export interface ListPlace {
  readonly updatedAtMs: number;
  readonly threadId: Uint8Array;
}

/** Above every place in the order of `list`. */
const ABOVE_ALL: ListPlace = { updatedAtMs: MAX_SEQ, threadId: new Uint8Array(16).fill(0xff) };

/** Below every thread_id but one that nobody has. */
const BELOW_ALL = new Uint8Array(16);

/** The pages of an owner's rows, as synchronous work: each sees one moment. */
export class ThreadReads {
  readonly #file: SqliteFile;
  readonly #statements: ReturnType<typeof threadStatements>;

  constructor(file: SqliteFile, statements: ReturnType<typeof threadStatements>) {
    this.#file = file;
    this.#statements = statements;
  }

  /** See ThreadStore.list. Large groups are few, and have their times elsewhere: they are sorted in. */
  list(ownerId: string, limit: number, before: ListPlace = ABOVE_ALL): readonly ThreadRow[] {
    const rows = this.#file.all(this.#statements.listRows, { ownerId, limit, ...before }).map(toThreadRow);
    const large = this.#large(ownerId);
    if (large.length === 0) return rows;
    const below = large.filter((row) => byRecency(before, row) < 0);
    return [...rows, ...below].sort(byRecency).slice(0, limit);
  }

  /** The rows and large groups of ThreadStore.sync. */
  sync(
    ownerId: string,
    cursor: { readonly version: number; readonly atMs: number } | undefined,
    afterVersion: number,
    limit: number,
    afterLarge: Uint8Array = BELOW_ALL,
  ): Pick<SyncPage, "rows" | "large" | "hasMore"> {
    const cursorVersion = cursor?.version ?? 0; // Versions start at 1, so 0 means all.
    const cursorAtMs = cursor?.atMs ?? 0;
    const since = { ownerId, cursorVersion, cursorAtMs };
    const found = this.#file
      .all(this.#statements.syncRows, { ...since, afterVersion, limit: limit + 1 })
      .map(toThreadRow);
    const rows = found.slice(0, limit);
    if (found.length > limit) return { rows, large: [], hasMore: true };
    const large = this.#large(ownerId)
      .filter((row) => row.version <= cursorVersion && row.activeUntilMs < cursorAtMs)
      .filter((row) => Buffer.compare(row.threadId, afterLarge) > 0)
      .sort((a, b) => Buffer.compare(a.threadId, b.threadId));
    const room = limit - rows.length;
    return { rows, large: large.slice(0, room), hasMore: large.length > room };
  }

  /** All of them at once: they are few (docs/design.md, section 6). */
  #large(ownerId: string): ThreadRow[] {
    return this.#file.all(this.#statements.allLarge, { ownerId }).map(toThreadRow);
  }
}

/** The order of `list`: the latest first. */
function byRecency(a: ListPlace, b: ListPlace): number {
  return b.updatedAtMs - a.updatedAtMs || Buffer.compare(b.threadId, a.threadId);
}
