/**
 * What decides which users one may see (docs/design.md, section 8): who has written in which thread, and who has added
 * which user. In the same store as the thread rows, with the same promises.
 */
export interface SightStore {
  /**
   * Notes that the user's message `seq` is in the thread. Resolves to whether that was not known before. Changes nothing
   * for one who has no row of a direct thread, or is not a member of the group since that entry or an earlier one.
   */
  noteWriter(threadId: Uint8Array, userId: string, seq: number): Promise<boolean>;
  /** Whether the user is known to have written there: in a group as the member that it is now. */
  hasWritten(threadId: Uint8Array, userId: string): Promise<Known>;
  /**
   * Whether `user` has written in `directId`, the direct thread of the two, or in a group that both are members of, or
   * has made that group, or has added `viewer` to it.
   */
  sight(viewer: string, user: string, directId: Uint8Array): Promise<Sight>;
  /**
   * Takes what the log says of a thread for those where it is not known: of a direct thread for `userIds`, of a group
   * for all members.
   */
  learnWriters(threadId: Uint8Array, userIds: readonly string[], found: FoundWriters): Promise<void>;
}

/** "unknown": the row was written by a Heddle that did not note it. */
export type Known = "yes" | "no" | "unknown";

export interface Sight {
  readonly isShown: boolean;
  /** Where it is not shown, and not known for certain: the threads (16 bytes each) of which to ask the log. */
  readonly unknown: readonly Uint8Array[];
}

/** What the newest entries of a thread say. */
export interface FoundWriters {
  /** By user, the seq of its newest message. */
  readonly writers: ReadonlyMap<string, number>;
  /** By seq of a member entry, who made it. */
  readonly changes: ReadonlyMap<number, string>;
}
