import type { Roster, RosterEntry } from "../base/group.ts";
import { directThreadId, participants } from "../base/thread-id.ts";
import type { Block, BlockStore, GroupStore, ReadPosition, ThreadStore } from "./ports.ts";

/** What of a thread the message service lets a user in by. */
export interface ThreadView {
  readonly kind: "direct" | "group";
  /** Both of a direct thread, in byte order; empty for a group. */
  readonly participants: readonly string[];
  /** Where to look for the head first. */
  readonly headBucket: number;
  /** The first entry of a group that the user may see; 0 for a direct thread. */
  readonly joinedSeq: number;
  /** The last one, and the ordinal there, if the user has left. */
  readonly leftSeq: number | undefined;
  readonly leftOrdinal: number | undefined;
}

/**
 * The thread service as the message and presence services see it: rows, the projection of groups, blocks. Writes are as
 * durable as the store's; those of one turn of the event loop share a transaction there. Reads are from the primary.
 */
export class Directory {
  readonly #store: ThreadStore & GroupStore & BlockStore;
  #left: (userIds: readonly string[]) => void = () => {};

  constructor(store: ThreadStore & GroupStore & BlockStore) {
    this.#store = store;
  }

  /** The thread as `userId`, who is or was a member, may see it; undefined if there is none or it is not theirs. */
  async view(threadId: Uint8Array, userId: string): Promise<ThreadView | undefined> {
    const [row] = await this.#store.get(userId, [threadId]);
    return (
      row && {
        kind: row.kind,
        participants: row.participants,
        headBucket: row.headBucket,
        joinedSeq: row.group?.joinedSeq ?? 0,
        leftSeq: row.group?.left?.seq,
        leftOrdinal: row.group?.left?.ordinal,
      }
    );
  }

  /** Writes both rows of a direct thread where they are missing. */
  createDirect(a: string, b: string): Promise<void> {
    return this.#store.createDirect(directThreadId(a, b), participants(a, b));
  }

  /** Touches the rows of `ownerIds`; resolves once durable. */
  touch(threadId: Uint8Array, ownerIds: readonly string[], headBucket: number): Promise<void> {
    return this.#store.touch([{ threadId, ownerIds, headBucket }]);
  }

  /** Copies read positions into thread rows. */
  raiseRead(positions: readonly ReadPosition[]): Promise<void> {
    return this.#store.raiseRead(positions);
  }

  /** The group as projected; undefined if nothing of it is. */
  roster(threadId: Uint8Array): Promise<Roster | undefined> {
    return this.#store.roster(threadId);
  }

  /**
   * Calls back with those of whom a projection has just said that they are no members any more: also where the call that
   * asked for it failed half-way and is never repeated. Must not throw.
   */
  onLeft(left: (userIds: readonly string[]) => void): void {
    this.#left = left;
  }

  /** Applies a member or setting entry to the projection, in order (GroupStore.project). */
  async project(entry: RosterEntry, headBucket: number): Promise<number> {
    const applied = await this.#store.project(entry, headBucket);
    if (entry.removed.length > 0 && applied >= entry.seq) this.#left(entry.removed);
    return applied;
  }

  /** The seq of the member or setting entry that this request made, as far as projected. */
  changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Promise<number | undefined> {
    return this.#store.changeSeq(threadId, sender, requestId);
  }

  /** Notes in a large group's activity row that it has new entries. */
  noteActivity(threadId: Uint8Array, headBucket: number): Promise<void> {
    return this.#store.noteActivity(threadId, headBucket);
  }

  /** How many large groups each of these users is in. */
  count(userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#store.largeGroupCounts(userIds);
  }

  /** Who of the two has blocked the other: none, one or both names. */
  async between(a: string, b: string): Promise<readonly string[]> {
    return (await this.#store.blocksBetween(a, [b])).map(({ ownerId }) => ownerId);
  }

  /** A block between the user and one of the others, in either direction. */
  async find(userId: string, otherIds: readonly string[]): Promise<Block | undefined> {
    return (await this.#store.blocksBetween(userId, otherIds))[0];
  }

  /** Whether the two have a direct thread, or are members of one group. */
  async shares(a: string, b: string): Promise<boolean> {
    const rows = await this.#store.get(a, [directThreadId(a, b)]);
    return rows.length > 0 || this.#store.shareGroup(a, b);
  }
}
