import type { GroupChange } from "../base/group.ts";
import type { HandOff, Publication } from "../base/publication.ts";
import type { FoundWriters } from "../store/sight-store.ts";

/** Who calls, as the rpc layer says. */
export interface Call {
  readonly caller: { readonly userId: string };
}

/** The message service, as the thread service needs it. */
export interface Heads {
  /**
   * Heads read from the store now, by thread id in hex; a thread without entries has seq 0. One whose log cannot be read is
   * left out.
   */
  heads(
    threads: readonly { readonly threadId: Uint8Array; readonly headBucket: number }[],
  ): Promise<ReadonlyMap<string, { readonly seq: number; readonly ordinal: number }>>;
  /**
   * How far the owner has read some threads, and what is unread of each up to a head, by thread id in hex: what is durable
   * now, which may be more than the row knows. Reads no log. One that cannot be read any more
   * is left out. The method is, by logs without receipts, in tests.
   */
  unread?(
    ownerId: string,
    threads: readonly {
      readonly threadId: Uint8Array;
      readonly head: { readonly seq: number; readonly ordinal: number };
      readonly row: { readonly readSeq: number; readonly readOrdinal: number };
    }[],
  ): Promise<ReadonlyMap<string, Unread>>;
}

/** How far a user has read a thread. */
export interface Unread {
  readonly readSeq: number;
  readonly readOrdinal: number;
  /** Messages of others above it: exact to 999, and 1,000 means that or more. */
  readonly unread: number;
}

/** When entries were made, as the message service knows. */
export interface EntryTimes {
  /** created_at of one entry of each thread, in Unix ms, by thread id in hex; one that is not there is left out. */
  entryTimes(
    entries: readonly { readonly threadId: Uint8Array; readonly seq: number }[],
  ): Promise<ReadonlyMap<string, number>>;
}

/** Who has written in threads, as the message service reads it from logs. */
export interface Writers {
  /** For rows of a Heddle that did not note it (Directory.findWritersBy). Rejects as the store does. */
  writers(threadId: Uint8Array): Promise<FoundWriters>;
}

/** The message service's logs, as far as groups and blocks need them. */
export interface GroupLog {
  /**
   * Judges the change at a head and appends it; resolves after the gate: it is durable, projected, covered by touches
   * and handed over. `seq` 0: nothing had to change. A repeat of the request gets the same seq. Rejects with
   * THREAD_NOT_FOUND, OWNER_REQUIRED, MEMBER_NOT_FOUND, LAST_OWNER, GROUP_FULL, TOO_MANY_LARGE_GROUPS, TOO_MANY_SPANS or
   * CLIENT_ID_REUSED, or as the stores do.
   */
  change(request: {
    readonly threadId: Uint8Array;
    readonly userId: string;
    /** 16 bytes. */
    readonly requestId: Uint8Array;
    readonly change: GroupChange;
  }): Promise<{ readonly seq: number; readonly removed: readonly string[] }>;
  /** Raises the epoch of the thread's head, repeated until it is clear that it was raised since the call began. */
  raiseEpoch(threadId: Uint8Array): Promise<void>;
}

/** The presence service, as the thread service needs it. */
export interface Presence {
  /** Resolves when the presence instances of both have confirmed. */
  blockChanged(a: string, b: string): Promise<void>;
  /** These users left or joined a group: resolves when watches by and of them have been checked anew. */
  membersChanged(userIds: readonly string[]): Promise<void>;
}

/** The channel service, as a publisher needs it. */
export interface Channel {
  /** As the message service's: rejects with HAND_OFF_FAILED when no instance took it. */
  publish(publication: Publication): HandOff | Promise<HandOff>;
}

export type { Block, BlockStore } from "../store/block-store.ts";
export type { GroupStore } from "../store/group-store.ts";
/** The store of rows, groups and blocks is a port too: domain files take it from here. */
export type { Profile, ProfileStore } from "../store/profile-store.ts";
export type { FoundWriters, SightStore } from "../store/sight-store.ts";
export type { GroupView, ReadPosition, ThreadRow, ThreadStore } from "../store/thread-store.ts";
