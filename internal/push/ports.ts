import type { SessionReport, ShownPresence, Watcher } from "../base/presence.ts";
import type { Hint, Publication, Topic } from "../base/publication.ts";
import type { Member, Ring } from "../base/ring.ts";
import type { Send, Settle } from "../base/send.ts";
import type { Thread } from "../gen/heddle/thread/v1/thread_pb.js";

/** The message service, as a push server needs it. */
export interface Messages {
  /** Appends. Settles exactly once, at the latest when the deadline of an append (10 s) has passed. */
  send(send: Send, settle: Settle): void;
  /**
   * Raises a user's own positions; 0 leaves one as it is. Resolves when they are taken (they are written within a
   * second), rejects with THREAD_NOT_FOUND for a thread that is not the user's.
   */
  raiseReceipt(receipt: {
    readonly userId: string;
    readonly threadId: Uint8Array;
    readonly deliveredSeq: number;
    readonly readSeq: number;
    readonly originSession: string;
  }): Promise<void>;
  /** Writes what is still unwritten of the user's positions: called when a session of the user ends. */
  flushReceipts(userId: string): Promise<void>;
  /**
   * Tells the other members, those who are online, that the user writes. Resolves when it is handed over or dropped,
   * rejects with THREAD_NOT_FOUND for a thread that is not the user's.
   */
  typing(typing: {
    readonly userId: string;
    readonly threadId: Uint8Array;
    readonly originSession: string;
  }): Promise<void>;
  /**
   * Who of these users is a member of a group, as of its head, which is read from the store by this call. Rejects with
   * THREAD_NOT_FOUND if there is no such group.
   */
  membership(threadId: Uint8Array, userIds: readonly string[]): Promise<Membership>;
}

/** Some of a group's members, as of a head. */
export interface Membership {
  /** The head. */
  readonly seq: number;
  readonly ordinal: number;
  readonly membersSeq: number;
  /** More than 256 have been members at a time. */
  readonly isLarge: boolean;
  /** Of those asked for, the members, with the first entry that each sees. */
  readonly joined: ReadonlyMap<string, number>;
}

/** The thread service, as a push server needs it. */
export interface Threads {
  /** A page of Sync; an empty pageToken asks for the first (docs/design.md, section 6). */
  sync(userId: string, cursor: Uint8Array, pageToken: Uint8Array): Promise<SyncPage>;
  /** The ids of the groups that the user is a member of, as far as projected. */
  groups(userId: string): Promise<readonly Uint8Array[]>;
  /** Notes that the device was in use until now. Must not throw; nobody waits for it. */
  deviceUsed(userId: string, deviceId: string): void;
  /** Which of these devices of the user were revoked. */
  revoked(userId: string, deviceIds: readonly string[]): Promise<readonly string[]>;
}

export interface SyncPage {
  /** The oldest change first, heads read after the snapshot. */
  readonly threads: readonly Thread[];
  /** Empty on the last page. */
  readonly nextPageToken: Uint8Array;
  /** On the last page. */
  readonly cursor: Uint8Array;
}

/** The channel service, as a push server needs it. */
export interface Channel {
  /** Its instances of now, and the number of their ring. */
  readonly ring: Ring;
  /**
   * Opens this push server's link to an instance. Events for its topics come through `link`, in order. Must not throw:
   * a link that cannot be opened is `closed` in a later turn.
   */
  attach(instance: Member, link: Link): ChannelLink;
}

/** This push server's side of a link. What is asked over it is answered in order; after it has ended nothing is. */
export interface ChannelLink {
  /**
   * Tells the number of the ring. Resolves, when the instance knows it, to the incarnation that does: from then on that
   * one answers no publisher of a lower number `exact`.
   */
  announce(number: number): Promise<number>;
  /** Resolves when every later `exact` publication to the topic reaches this link. */
  subscribe(topic: Topic): Promise<void>;
  unsubscribe(topic: Topic): void;
  /** A goodbye: resolves when what was queued before has been delivered. */
  close(): Promise<void>;
  /** When the instance was heard last, in monotonic ms. Left out where nothing lies between. */
  heardAtMs?(): number;
}

/** What a channel instance calls on a push server. */
export interface Link {
  /** The push server's name in the registry. */
  readonly name: string;
  /**
   * One publication for `topics`: those of it that this link subscribes to, or, of one that is broadcast, all. Must not
   * throw or block.
   */
  deliver(publication: Publication, topics: readonly Topic[]): void;
  /** A topic may have had an event that did not come. */
  hint(hint: Hint): void;
  /** The instance has closed the link, or it broke: attach again, subscribe again, compare. */
  closed(): void;
}

/** The presence service, as a push server needs it. */
export interface Presence {
  /** Its instances that serve. The rendezvous winner among them owns a user. */
  readonly ring: Ring;
  /**
   * Opens this push server's link to an instance. Must not throw: a link that cannot be opened is `closed` in a later
   * turn.
   */
  attach(instance: Member, link: PresenceLink): PresenceAttachment;
}

export interface PresenceAttachment {
  /** Resolves when it is taken in: the downs in it need not be told again. */
  report(report: SessionReport): Promise<void>;
  /** Begins to watch these users, and tells of each that may be seen. Users already watched are told of again. */
  watch(watcher: Watcher, userIds: readonly string[]): Promise<void>;
  unwatch(session: string, userIds: readonly string[]): void;
  /** A goodbye. */
  close(): void;
}

/** What a presence instance calls on a push server. */
export interface PresenceLink {
  /** The push server's name in the registry. */
  readonly name: string;
  /** What is to be shown of the user to these sessions. Must not throw or block. */
  told(userId: string, presence: ShownPresence, sessions: readonly string[]): void;
  /** The instance has closed the link: attach again, to the instance that owns the users. */
  closed(): void;
}

/** A stream whose messages are encoded, and the call that opened it, as the listeners hand them over. */
export type { ByteStream } from "../rpc/calls/byte-stream.ts";
export type { Call, Caller } from "../rpc/calls/handlers.ts";
