import type { HandOff, Publication } from "../base/publication.ts";
import type { ReadPosition } from "../store/thread-store.ts";

/** What the message service must know of a thread to judge a send. */
export interface ThreadView {
  readonly kind: "direct";
  /** Everyone to be touched and told, in byte order. */
  readonly members: readonly string[];
  /** Where to look for the head first. */
  readonly headBucket: number;
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
}

/** The channel service, as a publisher needs it. */
export interface Channel {
  /**
   * Resolves when the event is queued for every subscribed push server's link; HAND_OFF_FAILED after 2 s. Answers at
   * once where no other process is asked.
   */
  publish(publication: Publication): HandOff | Promise<HandOff>;
}

/** Who hides, as the message service needs it: from those it tells neither whether one is there nor what one has. */
export interface Visibilities {
  /** What is remembered; undefined if it must be read. */
  known(userId: string): "shared" | "nobody" | undefined;
  /** Rejects with STORE_UNAVAILABLE if it is not remembered and cannot be read. */
  read(userId: string): Promise<"shared" | "nobody">;
}

/** The message store is a port too: domain files take it from here. */
export {
  type EntryCellPut,
  type MessageStore,
  RECEIPTS_BUCKET,
  type RowKey,
  type VersionedCell,
} from "../store/message-store.ts";
export type { ReadPosition } from "../store/thread-store.ts";
