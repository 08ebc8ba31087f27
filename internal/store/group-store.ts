import type { ListedMember, Roster, RosterEntry } from "../base/group.ts";
import type { ThreadRow } from "./thread-store.ts";

/**
 * The projection of groups' member and setting entries (docs/design.md, sections 5 and 6). In the same store as the
 * thread rows, and with the same promises: every method rejects with STORE_UNAVAILABLE when the store cannot serve, and
 * a write is one durable transaction. Reads are from the primary.
 */
export interface GroupStore {
  /** The group as projected; undefined if nothing of it is. At most MAX_MEMBERS members, in the order of joining. */
  roster(threadId: Uint8Array): Promise<Roster | undefined>;
  /**
   * Applies the entry if the applied seq is the entry's previousSeq, else nothing. Resolves to the applied seq
   * afterwards: the entry's own, or a higher one, if it is in. Members who come get a row, or theirs again, with
   * their read position raised to the entry; of those who go the row says so; for both it counts as a touch. An entry
   * that makes the group large marks the rows of all members.
   */
  project(entry: RosterEntry, headBucket: number): Promise<number>;
  /** The seq of the entry that the sender's request (16 bytes) made, as far as projected. */
  changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Promise<number | undefined>;
  /** Sets updated_at and head_bucket of a large group's activity row; lowers neither. */
  noteActivity(threadId: Uint8Array, headBucket: number): Promise<void>;
  /** The rows of these owners for one thread, in no order; those that do not exist are left out. */
  rowsOf(threadId: Uint8Array, ownerIds: readonly string[]): Promise<readonly ThreadRow[]>;
  /** One snapshot: members by user_id, those after `afterUserId`; undefined if `viewerId` is no member. */
  memberPage(
    threadId: Uint8Array,
    viewerId: string,
    afterUserId: string,
    limit: number,
  ): Promise<readonly ListedMember[] | undefined>;
  /** The groups that the user is a member of. */
  groupsOf(userId: string): Promise<readonly Uint8Array[]>;
  /** Of how many large groups each of these users is a member. */
  largeGroupCounts(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Whether both are members of one group. */
  shareGroup(a: string, b: string): Promise<boolean>;
}
