import type { ThreadRow } from "./thread-store.ts";

/** One user's block of another. */
export interface Block {
  /** Who has blocked. */
  readonly ownerId: string;
  readonly otherUserId: string;
}

/** Which user has blocked which (docs/design.md, section 5). In the same store as the thread rows, with the same promises. */
export interface BlockStore {
  /**
   * Blocks, or takes it back. Makes both rows of the direct thread where they are missing; the owner's takes a version
   * if the mark changed. Resolves to the owner's row.
   */
  setBlocked(threadId: Uint8Array, block: Block, isBlocked: boolean): Promise<ThreadRow>;
  /** The blocks between the user and each of the others, in either direction. From the primary. */
  blocksBetween(userId: string, otherIds: readonly string[]): Promise<readonly Block[]>;
  /** The users that the owner has blocked, by user_id, those after `afterUserId`. */
  listBlocked(ownerId: string, afterUserId: string, limit: number): Promise<readonly string[]>;
}
