import { isGroupThread } from "../../../base/thread-id.ts";
import type { FoundWriters, Known, Sight } from "../../sight-store.ts";
import type { sightStatements } from "../sight-statements.ts";
import { all, get, lockGroup, run, type Work } from "../work.ts";

/** Who has written where, as the work of reads and transactions. No client sees it: no version is taken. */
export class SightRows {
  readonly #statements: ReturnType<typeof sightStatements>;

  constructor(statements: ReturnType<typeof sightStatements>) {
    this.#statements = statements;
  }

  /** See SightStore.noteWriter. Only within a transaction. */
  *note(threadId: Uint8Array, ownerId: string, seq: number): Work<boolean> {
    const { noteRowWriter, noteMemberWriter } = this.#statements;
    const changed = isGroupThread(threadId)
      ? yield* run(noteMemberWriter, { ownerId, threadId, seq })
      : yield* run(noteRowWriter, { ownerId, threadId });
    return changed > 0;
  }

  /** See SightStore.hasWritten. */
  *hasWritten(threadId: Uint8Array, ownerId: string): Work<Known> {
    const { readRowWriter, readMemberWriter } = this.#statements;
    const row = yield* get(isGroupThread(threadId) ? readMemberWriter : readRowWriter, { ownerId, threadId });
    if (row?.has_written === null) return "unknown";
    return row?.has_written === 1 ? "yes" : "no";
  }

  /** See SightStore.sight. */
  *sight(viewer: string, user: string, directId: Uint8Array): Work<Sight> {
    const { shownInGroup, unknownGroups } = this.#statements;
    const direct = yield* this.hasWritten(directId, user);
    if (direct === "yes" || (yield* get(shownInGroup, { viewer, user })))
      return { isShown: true, unknown: [] };
    const groups = (yield* all(unknownGroups, { viewer, user })).map((group) => group.thread_id);
    return { isShown: false, unknown: direct === "unknown" ? [directId, ...groups] : groups };
  }

  /** See SightStore.learnWriters. Only within a transaction. */
  *learn(threadId: Uint8Array, userIds: readonly string[], found: FoundWriters): Work<void> {
    if (isGroupThread(threadId)) {
      yield* this.#learnMembers(threadId, found);
      return;
    }
    for (const ownerId of userIds.toSorted()) {
      const hasWritten = found.writers.has(ownerId) ? 1 : 0;
      yield* run(this.#statements.learnRowWriter, { ownerId, threadId, hasWritten });
    }
  }

  *#learnMembers(threadId: Uint8Array, { writers, changes }: FoundWriters): Work<void> {
    const { setMemberWriter, setAddedBy, unknownMembers } = this.#statements;
    yield* lockGroup(threadId);
    for (const member of yield* all(unknownMembers, { threadId })) {
      const { user_id: ownerId, joined_seq: joinedSeq } = member;
      const addedBy = changes.get(joinedSeq) ?? ""; // "": nobody.
      const isMaker = joinedSeq === 1 && addedBy === ownerId;
      const hasWritten = isMaker || (writers.get(ownerId) ?? 0) >= joinedSeq ? 1 : 0;
      if (member.has_written === null) yield* run(setMemberWriter, { ownerId, threadId, hasWritten });
      if (member.added_by === null) yield* run(setAddedBy, { ownerId, threadId, addedBy });
    }
  }
}
