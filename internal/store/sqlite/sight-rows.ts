import { isGroupThread } from "../../base/thread-id.ts";
import type { FoundWriters, Known, Sight } from "../sight-store.ts";
import type { sightStatements } from "../sql/sight-statements.ts";
import type { SqliteFile } from "./sqlite-file.ts";

/** Who has written where, as the synchronous work of reads and transactions. No client sees it: no version is taken. */
export class SightRows {
  readonly #file: SqliteFile;
  readonly #statements: ReturnType<typeof sightStatements>;

  constructor(file: SqliteFile, statements: ReturnType<typeof sightStatements>) {
    this.#file = file;
    this.#statements = statements;
  }

  /** See SightStore.noteWriter. Only within a transaction. */
  note(threadId: Uint8Array, ownerId: string, seq: number): boolean {
    const { setRowWriter, setMemberWriter, readRowWriter, readMemberWriter } = this.#statements;
    const isGroup = isGroupThread(threadId);
    const row = this.#file.get(isGroup ? readMemberWriter : readRowWriter, { ownerId, threadId });
    if (!row || row.has_written === 1) return false;
    if ("joined_seq" in row && (row.joined_seq as number) > seq) return false;
    this.#file.run(isGroup ? setMemberWriter : setRowWriter, { ownerId, threadId, hasWritten: 1 });
    return true;
  }

  /** See SightStore.hasWritten. */
  hasWritten(threadId: Uint8Array, ownerId: string): Known {
    const { readRowWriter, readMemberWriter } = this.#statements;
    const read = isGroupThread(threadId) ? readMemberWriter : readRowWriter;
    const row = this.#file.get(read, { ownerId, threadId });
    if (row?.has_written === null) return "unknown";
    return row?.has_written === 1 ? "yes" : "no";
  }

  /** See SightStore.sight. */
  sight(viewer: string, user: string, directId: Uint8Array): Sight {
    const { shownInGroup, unknownGroups } = this.#statements;
    const direct = this.hasWritten(directId, user);
    if (direct === "yes" || this.#file.get(shownInGroup, { viewer, user }))
      return { isShown: true, unknown: [] };
    const groups = this.#file.all(unknownGroups, { viewer, user }).map((group) => group.thread_id);
    return { isShown: false, unknown: direct === "unknown" ? [directId, ...groups] : groups };
  }

  /** See SightStore.learnWriters. Only within a transaction. */
  learn(threadId: Uint8Array, userIds: readonly string[], found: FoundWriters): void {
    if (isGroupThread(threadId)) {
      this.#learnMembers(threadId, found);
      return;
    }
    for (const ownerId of userIds) {
      if (this.hasWritten(threadId, ownerId) !== "unknown") continue;
      const hasWritten = found.writers.has(ownerId) ? 1 : 0;
      this.#file.run(this.#statements.setRowWriter, { ownerId, threadId, hasWritten });
    }
  }

  #learnMembers(threadId: Uint8Array, { writers, changes }: FoundWriters): void {
    const { setMemberWriter, setAddedBy, unknownMembers } = this.#statements;
    for (const member of this.#file.all(unknownMembers, { threadId })) {
      const { user_id: ownerId, joined_seq: joinedSeq } = member;
      const addedBy = changes.get(joinedSeq) ?? ""; // "": nobody.
      const isMaker = joinedSeq === 1 && addedBy === ownerId;
      const hasWritten = isMaker || (writers.get(ownerId) ?? 0) >= joinedSeq ? 1 : 0;
      if (member.has_written === null) this.#file.run(setMemberWriter, { ownerId, threadId, hasWritten });
      if (member.added_by === null) this.#file.run(setAddedBy, { ownerId, threadId, addedBy });
    }
  }
}
