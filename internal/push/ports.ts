import type { Publication, Topic } from "../base/publication.ts";
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
}

/** The thread service, as a push server needs it. */
export interface Threads {
  /** A page of Sync; an empty pageToken asks for the first (docs/design.md, section 6). */
  sync(userId: string, cursor: Uint8Array, pageToken: Uint8Array): Promise<SyncPage>;
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
  /** Opens this push server's link. Events for its topics come through `link`, in order per topic. */
  attach(link: Link): ChannelLink;
}

export interface ChannelLink {
  /** Resolves when every later publication to the topic reaches this link. */
  subscribe(topic: Topic): Promise<void>;
  unsubscribe(topic: Topic): void;
  /** A goodbye: the instance forgets the link without calling anything incomplete. */
  close(): void;
}

/** What the channel service calls on a push server. */
export interface Link {
  /** The push server's name in the registry. */
  readonly name: string;
  /** One publication for `topics`, the ones of it that this link subscribes to. Must not throw or block. */
  deliver(publication: Publication, topics: readonly Topic[]): void;
  /** The instance has closed the link (it could not keep up): attach again, subscribe again, compare. */
  closed(): void;
}

/** A stream whose messages are encoded, and the call that opened it, as the listeners hand them over. */
export type { ByteStream } from "../rpc/byte-stream.ts";
export type { Call, Caller } from "../rpc/handlers.ts";
