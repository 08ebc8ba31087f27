import type { Clock } from "../../base/clock.ts";
import { participants } from "../../base/thread-id.ts";
import type { threadStatements } from "../sql/thread-statements.ts";
import { toThreadRow } from "../sql/viewed-rows.ts";
import { ACTIVE_MS, type ReadPosition, type ThreadRow, type Touch } from "../thread-store.ts";
import type { SqliteFile } from "./sqlite-file.ts";

export interface ThreadRowsInit {
  readonly file: SqliteFile;
  readonly clock: Clock;
  readonly threads: ReturnType<typeof threadStatements>;
  /** Takes the owner's next version. */
  readonly takeVersion: (ownerId: string) => number;
}

/** Single thread rows and their changes, as the synchronous work of reads and transactions. */
export class ThreadRows {
  readonly #init: ThreadRowsInit;

  constructor(init: ThreadRowsInit) {
    this.#init = init;
  }

  /** The row, or undefined if there is none. */
  get(ownerId: string, threadId: Uint8Array): ThreadRow | undefined {
    const row = this.#init.file.get(this.#init.threads.readRow, { ownerId, threadId });
    return row && toThreadRow(row);
  }

  /** See ThreadStore.createDirect. */
  insertPair(threadId: Uint8Array, a: string, b: string): void {
    const [smaller, larger] = participants(a, b);
    this.#insertDirect(smaller, threadId, larger);
    this.#insertDirect(larger, threadId, smaller);
  }

  /** See ThreadStore.touch. Versions are taken of owners in ascending order (docs/design.md, section 6). */
  touch(touches: readonly Touch[]): void {
    const { file, clock, threads, takeVersion } = this.#init;
    const nowMs = clock.nowMs();
    const activeUntilMs = nowMs + ACTIVE_MS;
    const changes = touches.flatMap((touch) => touch.ownerIds.map((ownerId) => ({ ownerId, touch })));
    for (const { ownerId, touch } of changes.sort(byOwner)) {
      const { threadId, headBucket } = touch;
      if (!file.get(threads.hasRow, { ownerId, threadId })) continue;
      const version = takeVersion(ownerId);
      file.run(threads.touch, { ownerId, threadId, version, nowMs, activeUntilMs, headBucket });
    }
  }

  /** See ThreadStore.setMuted. */
  setMuted(ownerId: string, threadId: Uint8Array, isMuted: boolean): ThreadRow | undefined {
    const { file, threads, takeVersion } = this.#init;
    const row = file.get(threads.readRow, { ownerId, threadId });
    if (!row) return undefined;
    const mark = isMuted ? 1 : 0;
    if (row.is_muted === mark) return toThreadRow(row);
    const version = takeVersion(ownerId);
    file.run(threads.setMuted, { ownerId, threadId, version, isMuted: mark });
    return toThreadRow({ ...row, version, is_muted: mark });
  }

  /** See ThreadStore.raiseRead. */
  raiseRead(positions: readonly ReadPosition[]): void {
    const { file, threads, takeVersion } = this.#init;
    for (const position of positions.toSorted(byOwner)) {
      const { ownerId, threadId, readSeq, readOrdinal } = position;
      const row = file.get(threads.readRow, { ownerId, threadId });
      if (!row || row.read_seq >= readSeq) continue;
      const version = takeVersion(ownerId);
      file.run(threads.setRead, { ownerId, threadId, version, readSeq, readOrdinal });
    }
  }

  /** Gives the row a version, for what it shows and has in another table. */
  renew(ownerId: string, threadId: Uint8Array): void {
    const { file, threads, takeVersion } = this.#init;
    file.run(threads.setVersion, { ownerId, threadId, version: takeVersion(ownerId) });
  }

  #insertDirect(ownerId: string, threadId: Uint8Array, otherUserId: string): void {
    const { file, clock, threads, takeVersion } = this.#init;
    if (file.get(threads.hasRow, { ownerId, threadId })) return;
    const nowMs = clock.nowMs();
    const version = takeVersion(ownerId);
    const activeUntilMs = nowMs + ACTIVE_MS;
    file.run(threads.insertDirect, { ownerId, threadId, otherUserId, version, nowMs, activeUntilMs });
  }
}

function byOwner(a: { readonly ownerId: string }, b: { readonly ownerId: string }): number {
  return a.ownerId < b.ownerId ? -1 : a.ownerId > b.ownerId ? 1 : 0;
}
