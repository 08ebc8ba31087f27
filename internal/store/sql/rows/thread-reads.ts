import { MAX_SEQ } from "../../../base/ids.ts";
import type { SyncPage, ThreadRow } from "../../thread-store.ts";
import type { threadStatements } from "../thread-statements.ts";
import { toThreadRow } from "../viewed-rows.ts";
import { all, type Work } from "../work.ts";

/** A place in the order of `list`. */
export interface ListPlace {
  readonly updatedAtMs: number;
  readonly threadId: Uint8Array;
}

/** Above every place in the order of `list`. */
const ABOVE_ALL: ListPlace = { updatedAtMs: MAX_SEQ, threadId: new Uint8Array(16).fill(0xff) };

/** Below every thread_id but one that nobody has. */
const BELOW_ALL = new Uint8Array(16);

/** The pages of an owner's rows, as work: each sees one moment. */
export class ThreadReads {
  readonly #statements: ReturnType<typeof threadStatements>;

  constructor(statements: ReturnType<typeof threadStatements>) {
    this.#statements = statements;
  }

  /** See ThreadStore.list. Large groups are few, and have their times elsewhere: they are sorted in. */
  *list(ownerId: string, limit: number, before: ListPlace = ABOVE_ALL): Work<readonly ThreadRow[]> {
    const { updatedAtMs, threadId } = before;
    const listed = yield* all(this.#statements.listRows, { ownerId, limit, updatedAtMs, threadId });
    const rows = listed.map(toThreadRow);
    const large = yield* this.#large(ownerId);
    if (large.length === 0) return rows;
    const below = large.filter((row) => byRecency(before, row) < 0);
    return [...rows, ...below].sort(byRecency).slice(0, limit);
  }

  /** The rows and large groups of ThreadStore.sync. */
  *sync(
    ownerId: string,
    cursor: { readonly version: number; readonly atMs: number } | undefined,
    afterVersion: number,
    limit: number,
    afterLarge: Uint8Array = BELOW_ALL,
  ): Work<Pick<SyncPage, "rows" | "large" | "hasMore">> {
    const cursorVersion = cursor?.version ?? 0; // Versions start at 1, so 0 means all.
    const cursorAtMs = cursor?.atMs ?? 0;
    const since = { ownerId, cursorVersion, cursorAtMs };
    const found = yield* all(this.#statements.syncRows, { ...since, afterVersion, limit: limit + 1 });
    const rows = found.slice(0, limit).map(toThreadRow);
    if (found.length > limit) return { rows, large: [], hasMore: true };
    const large = (yield* this.#large(ownerId))
      .filter((row) => row.version <= cursorVersion && row.activeUntilMs < cursorAtMs)
      .filter((row) => Buffer.compare(row.threadId, afterLarge) > 0)
      .sort((a, b) => Buffer.compare(a.threadId, b.threadId));
    const room = limit - rows.length;
    return { rows, large: large.slice(0, room), hasMore: large.length > room };
  }

  /** All of them at once: they are few (docs/design.md, section 6). */
  *#large(ownerId: string): Work<ThreadRow[]> {
    return (yield* all(this.#statements.allLarge, { ownerId })).map(toThreadRow);
  }
}

/** The order of `list`: the latest first. */
function byRecency(a: ListPlace, b: ListPlace): number {
  return b.updatedAtMs - a.updatedAtMs || Buffer.compare(b.threadId, a.threadId);
}
