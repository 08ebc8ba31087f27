import { participants } from "../../../base/thread-id.ts";
import type { ReadPosition, ThreadRow, Touch } from "../../thread-store.ts";
import type { threadStatements } from "../thread-statements.ts";
import { toThreadRow } from "../viewed-rows.ts";
import { get, lockOwners, run, type Work } from "../work.ts";

export interface ThreadRowsInit {
  readonly threads: ReturnType<typeof threadStatements>;
  /** Takes the owner's next version. */
  readonly takeVersion: (ownerId: string) => Work<number>;
}

/** Single thread rows and their changes, as the work of reads and transactions. */
export class ThreadRows {
  readonly #init: ThreadRowsInit;

  constructor(init: ThreadRowsInit) {
    this.#init = init;
  }

  /** The row, or undefined if there is none. */
  *get(ownerId: string, threadId: Uint8Array): Work<ThreadRow | undefined> {
    const row = yield* get(this.#init.threads.readRow, { ownerId, threadId });
    return row && toThreadRow(row);
  }

  /** The owner's rows of these threads that exist. */
  *getAll(ownerId: string, threadIds: readonly Uint8Array[]): Work<readonly ThreadRow[]> {
    const rows: ThreadRow[] = [];
    for (const threadId of threadIds) {
      const row = yield* this.get(ownerId, threadId);
      if (row) rows.push(row);
    }
    return rows;
  }

  /** See ThreadStore.createDirect. */
  *insertPair(threadId: Uint8Array, a: string, b: string): Work<void> {
    const [smaller, larger] = participants(a, b);
    yield* lockOwners([smaller, larger]);
    yield* this.#insertDirect(smaller, threadId, larger);
    yield* this.#insertDirect(larger, threadId, smaller);
  }

  /** See ThreadStore.touch. Versions are taken of owners in ascending order (docs/design.md, section 6). */
  *touch(touches: readonly Touch[]): Work<void> {
    const { threads, takeVersion } = this.#init;
    const changes = touches.flatMap((touch) => touch.ownerIds.map((ownerId) => ({ ownerId, touch })));
    yield* lockOwners(changes.map(({ ownerId }) => ownerId));
    for (const { ownerId, touch } of changes.sort(byOwner)) {
      const { threadId, headBucket } = touch;
      if (!(yield* get(threads.hasRow, { ownerId, threadId }))) continue;
      const version = yield* takeVersion(ownerId);
      yield* run(threads.touch, { ownerId, threadId, version, headBucket });
    }
  }

  /** See ThreadStore.setMuted. */
  *setMuted(ownerId: string, threadId: Uint8Array, isMuted: boolean): Work<ThreadRow | undefined> {
    const { threads, takeVersion } = this.#init;
    yield* lockOwners([ownerId]);
    const row = yield* get(threads.readRow, { ownerId, threadId });
    if (!row) return undefined;
    const mark = isMuted ? 1 : 0;
    if (row.is_muted === mark) return toThreadRow(row);
    const version = yield* takeVersion(ownerId);
    yield* run(threads.setMuted, { ownerId, threadId, version, isMuted: mark });
    return toThreadRow({ ...row, version, is_muted: mark });
  }

  /** See ThreadStore.raiseRead. */
  *raiseRead(positions: readonly ReadPosition[]): Work<void> {
    const { threads, takeVersion } = this.#init;
    yield* lockOwners(positions.map(({ ownerId }) => ownerId));
    for (const { ownerId, threadId, readSeq, readOrdinal } of positions.toSorted(byOwner)) {
      const row = yield* get(threads.readRow, { ownerId, threadId });
      if (!row || row.read_seq >= readSeq) continue;
      const version = yield* takeVersion(ownerId);
      yield* run(threads.setRead, { ownerId, threadId, version, readSeq, readOrdinal });
    }
  }

  /** Gives the row a version, for what it shows and has in another table. */
  *renew(ownerId: string, threadId: Uint8Array): Work<void> {
    const { threads, takeVersion } = this.#init;
    const version = yield* takeVersion(ownerId);
    yield* run(threads.setVersion, { ownerId, threadId, version });
  }

  *#insertDirect(ownerId: string, threadId: Uint8Array, otherUserId: string): Work<void> {
    const { threads, takeVersion } = this.#init;
    if (yield* get(threads.hasRow, { ownerId, threadId })) return;
    const version = yield* takeVersion(ownerId);
    yield* run(threads.insertDirect, { ownerId, threadId, otherUserId, version });
  }
}

function byOwner(a: { readonly ownerId: string }, b: { readonly ownerId: string }): number {
  return a.ownerId < b.ownerId ? -1 : a.ownerId > b.ownerId ? 1 : 0;
}
