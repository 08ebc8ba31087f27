import type { Roster, RosterEntry, Span } from "../base/group.ts";
import { hex } from "../base/ids.ts";
import { directThreadId, participants } from "../base/thread-id.ts";
import type {
  Block,
  BlockStore,
  FoundWriters,
  GroupStore,
  ReadPosition,
  SightStore,
  ThreadStore,
} from "./ports.ts";

/** What of a thread the message service lets a user in by. */
export interface ThreadView {
  readonly kind: "direct" | "group";
  /** Both of a direct thread, in byte order; empty for a group. */
  readonly participants: readonly string[];
  /** Where to look for the head first. */
  readonly headBucket: number;
  /** The user's spans of membership in a group before the one that begins at joinedSeq, ascending. */
  readonly earlier: readonly Span[];
  /** The entry of a group by which the user came last; 0 for a direct thread. */
  readonly joinedSeq: number;
  /** The last one, and the ordinal there, if the user has left. */
  readonly leftSeq: number | undefined;
  readonly leftOrdinal: number | undefined;
}

type Store = ThreadStore & GroupStore & BlockStore & SightStore;

/** Reads who has written in a thread from its log. */
export type FindWriters = (threadId: Uint8Array) => Promise<FoundWriters>;

/**
 * The thread service as the message and presence services see it: rows, the projection of groups, blocks. Writes are as
 * durable as the store's; those of one turn of the event loop share a transaction there. Reads are from the primary.
 */
export class Directory {
  readonly #store: Store;
  #left: (userIds: readonly string[]) => void = () => {};
  #shown: (userId: string) => void = () => {};
  #find: FindWriters = () => Promise.reject(new Error("nobody reads logs here"));
  /** By thread and users: what is being taken from the log. */
  readonly #learning = new Map<string, Promise<void>>();

  constructor(store: Store) {
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
        earlier: row.group?.earlier ?? [],
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
   * Calls back with those that a projection has just said to be no members any more: also where the call that
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

  /** How many spans of membership each of these users has had in the group; those without one are left out. */
  async spanCounts(threadId: Uint8Array, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#store.rowsOf(threadId, userIds);
    return new Map(rows.map(({ ownerId, group }) => [ownerId, (group?.earlier.length ?? 0) + 1]));
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

  /** Calls back with one who has written in a thread for the first time: more may see that user now. Must not throw. */
  onShown(shown: (userId: string) => void): void {
    this.#shown = shown;
  }

  /** Who is asked of the writers in threads that are older than what the rows say of them. */
  findWritersBy(find: FindWriters): void {
    this.#find = find;
  }

  /** Notes that the user's message `seq` is in the thread; resolves once durable. */
  async noteWriter(threadId: Uint8Array, userId: string, seq: number): Promise<void> {
    if (await this.#store.noteWriter(threadId, userId, seq)) this.#shown(userId);
  }

  /** Whether the user has written in the thread, in a group as the member that it is now, or has made the group. */
  async hasWritten(threadId: Uint8Array, userId: string): Promise<boolean> {
    const known = await this.#store.hasWritten(threadId, userId);
    if (known !== "unknown") return known === "yes";
    await this.#learn(threadId, [userId]);
    return (await this.#store.hasWritten(threadId, userId)) === "yes";
  }

  /** Whether `viewer` may see `user` by what the user has done in threads that both are in (SightStore.sight). */
  async shows(viewer: string, user: string): Promise<boolean> {
    const directId = directThreadId(viewer, user);
    for (;;) {
      const { isShown, unknown } = await this.#store.sight(viewer, user, directId);
      if (isShown || unknown.length === 0) return isShown;
      await Promise.all(unknown.map((threadId) => this.#learn(threadId, [viewer, user])));
    }
  }

  /** Takes from the log what the rows of a thread do not say. Once: then they say it. */
  #learn(threadId: Uint8Array, userIds: readonly string[]): Promise<void> {
    const key = `${hex(threadId)} ${userIds.join(" ")}`;
    let learning = this.#learning.get(key);
    if (!learning) {
      const learn = async () => this.#store.learnWriters(threadId, userIds, await this.#find(threadId));
      learning = learn().finally(() => this.#learning.delete(key));
      this.#learning.set(key, learning);
    }
    return learning;
  }
}
