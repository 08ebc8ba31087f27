import type { Roster, RosterEntry, Span } from "../base/group.ts";
import type { HandOff, Publication } from "../base/publication.ts";
import type { Ring } from "../base/ring.ts";
import type { Block } from "../store/block-store.ts";
import type { ReadPosition } from "../store/thread-store.ts";

/** What one user's row says of a thread: who may come in, and hints. Sends are judged by what the head names. */
export interface ThreadView {
  readonly kind: "direct" | "group";
  /** Both users of a direct thread, in byte order; empty for a group. */
  readonly participants: readonly string[];
  /** Where to look for the head first. */
  readonly headBucket: number;
  /** The user's spans of membership in a group before the one that begins at joinedSeq, ascending. */
  readonly earlier: readonly Span[];
  /** The entry of a group by which the user came last; 0 for a direct thread. */
  readonly joinedSeq: number;
  /** The last entry of a group that the user may see, and the ordinal there, if the user has left. */
  readonly leftSeq: number | undefined;
  readonly leftOrdinal: number | undefined;
}

/** The thread service, as the message service needs it. */
export interface Threads {
  /** The thread as `userId`, who is or was a member, may see it; undefined if there is none or it is not theirs. */
  view(threadId: Uint8Array, userId: string): Promise<ThreadView | undefined>;
  /** Writes both rows of a direct thread, with its id made from the two users. */
  createDirect(a: string, b: string): Promise<void>;
  /** Touches the rows of `ownerIds`; resolves once durable. Calls of one tick share a transaction. */
  touch(threadId: Uint8Array, ownerIds: readonly string[], headBucket: number): Promise<void>;
  /** Copies read positions into thread rows. */
  raiseRead(positions: readonly ReadPosition[]): Promise<void>;
  /** Notes that the user's message `seq` is in the thread; resolves once durable. Repeats cost little. */
  noteWriter(threadId: Uint8Array, userId: string, seq: number): Promise<void>;
}

/** The users that others may see, by what they have done in threads (docs/design.md, section 8). */
export interface Sights {
  /** Whether the user has written in the thread, in a group as the member that it is now, or has made the group. */
  hasWritten(threadId: Uint8Array, userId: string): Promise<boolean>;
  /** Whether `viewer` may see `user`, blocks and visibility left aside. */
  shows(viewer: string, user: string): Promise<boolean>;
}

/** The projection of groups' member and setting entries, and what else SQL holds of them. */
export interface Groups {
  /** The projection, from the primary; undefined if nothing of this group has been projected. */
  roster(threadId: Uint8Array): Promise<Roster | undefined>;
  /**
   * Applies the entry, in one transaction, if what was applied last is `entry.previousSeq`. Resolves to the seq applied
   * last afterwards: entry.seq or more if it is in. Counts as a touch of who comes and who goes.
   */
  project(entry: RosterEntry, headBucket: number): Promise<number>;
  /** The seq of the member or setting entry that this request made, as far as projected. */
  changeSeq(threadId: Uint8Array, sender: string, requestId: Uint8Array): Promise<number | undefined>;
  /** How many spans of membership each of these users has had in the group; those without one are left out. */
  spanCounts(threadId: Uint8Array, userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** For a large group: writes its activity row (recency and bucket hint, which is never lowered). */
  noteActivity(threadId: Uint8Array, headBucket: number): Promise<void>;
}

/** Blocks between users. */
export interface Blocks {
  /** Who of the two has blocked the other: nobody, one or both. From the primary, as of a moment within the call. */
  between(a: string, b: string): Promise<readonly string[]>;
  /** A block between the user and one of the others, in either direction; undefined if there is none. As `between`. */
  find(userId: string, otherIds: readonly string[]): Promise<Block | undefined>;
}

/** Told of each read that finds a log damaged, with the first seq that is not as it must be, where that is known. */
export type LogDamage = (threadId: Uint8Array, seq: number | undefined) => void;

/** Who is in how many large groups, for the limit on joining one. */
export interface LargeGroups {
  count(userIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** The channel service, as a publisher needs it. */
export interface Channel {
  /**
   * Resolves when the event is queued for every subscribed push server's link, or for every link, and then told of again
   * until the former is sure. Rejects with HAND_OFF_FAILED when no instance took it. Answers at once where no other
   * process is asked.
   */
  publish(publication: Publication): HandOff | Promise<HandOff>;
}

/** Who hides, as the message service needs it: from those it tells neither whether one is there nor what one has. */
export interface Visibilities {
  /** What is remembered; undefined if it must be read. */
  known(userId: string): "shared" | "nobody" | undefined;
  /** Rejects with STORE_UNAVAILABLE if it is not remembered and cannot be read. */
  readVisibility(userId: string): Promise<"shared" | "nobody">;
}

/** The message servers over one store. */
export interface Servers {
  /** Those that serve. Push servers and thread servers route by the same ring. */
  readonly ring: Ring;
  /** This one's name in it. */
  readonly name: string;
}

/** The message store is a port too: domain files take it from here. */
export {
  type EntryCellPut,
  type MessageStore,
  RECEIPTS_BUCKET,
  type Row,
  type RowKey,
  type RowQuery,
  type VersionedCell,
} from "../store/message-store.ts";
export type { FoundWriters } from "../store/sight-store.ts";
export type { ReadPosition } from "../store/thread-store.ts";
