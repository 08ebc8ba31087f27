/**
 * What the message and thread services hand to the channel service, and the channel service to push servers.
 * Plain data: bound directly in one process, carried by a pipeline between processes.
 */

/** A topic: `user/<user_id>` (inbox) or `thread/<hex>` (group). */
export type Topic = string;

/** The topic of one user's inbox: every device of the user subscribes to it. */
export function inbox(userId: string): Topic {
  return `user/${userId}`;
}

/** The topic of a group, `thread` in hex. */
export function groupTopic(thread: string): Topic {
  return `thread/${thread}`;
}

/** What a push server does with the event beyond forwarding it. */
export type PublicationKind =
  /** An entry of a thread. Sessions that cannot take it get `behind`. */
  | "entry"
  /** A receipt: one per (thread, user) is enough, with the higher of each position. */
  | "receipt"
  /** A thread row changed. */
  | "thread_changed"
  /** Somebody writes. Dropped where it cannot leave at once: it is worth nothing later. */
  | "typing"
  /** For push servers only: end the sessions of `deviceId`. `frame` is empty. */
  | "device_revoked"
  /**
   * For push servers only: whether a block between `userId` and `otherUserId`, in either direction, is there from now on.
   * While it is, neither gets typing or receipts of the other in a direct thread. `frame` is empty.
   */
  | "block_changed";

/** What an event of a group's topic says of the group's members (docs/design.md, section 7, Membership in order). */
export interface GroupMark {
  /** The seq of the last member or setting entry before the event. */
  readonly membersSeq: number;
  /** For a member entry: who comes and who goes with it. Both see the entry itself. */
  readonly change?: { readonly added: readonly string[]; readonly removed: readonly string[] };
}

export interface Publication {
  readonly kind: PublicationKind;
  /** Where it goes. A push server that subscribes to several of them gets it once, with all their names. */
  readonly topics: readonly Topic[];
  /** The event as one encoded ServerFrame, made once and shared by every stream. */
  readonly frame: Uint8Array;
  /** The thread it is about, in hex; "" for none. */
  readonly thread: string;
  /** For an entry: its seq and the ordinal there, from which `behind` is made. */
  readonly seq: number;
  readonly ordinal: number;
  /** Whose entry or receipt it is; "" for none. */
  readonly userId: string;
  /** The session that caused it, in hex, which alone gets no copy; "" for none. */
  readonly originSession: string;
  /** For device_revoked. */
  readonly deviceId?: string;
  /** For every event of a group, and for no other. */
  readonly group?: GroupMark;
  /** For block_changed. */
  readonly otherUserId?: string;
  readonly isBlocked?: boolean;
}

/** What a publisher is told when its event is handed over. */
export interface HandOff {
  /**
   * For each topic of the publication, whether some push server subscribes to it; true also where that is not sure, so
   * that false is never concluded from what is not known.
   */
  readonly subscribed: readonly boolean[];
}

/**
 * A channel instance's word (docs/design.md, section 7, Publish). `exact`: queued for the link of every push server that
 * subscribes. `broadcast`: queued for every link. `unsure`: the same, but its lease may be over, or it is leaving.
 * Each names the incarnation that says so.
 */
export type ChannelAnswer =
  | { readonly kind: "exact"; readonly incarnation: number; readonly subscribed: readonly boolean[] }
  | { readonly kind: "broadcast" | "unsure"; readonly incarnation: number };

/**
 * How long a channel instance is waited for, in ms: many times what a living one takes, and two such tries are not felt
 * (docs/design.md, section 7).
 */
export const CHANNEL_ANSWER_MS = 250;

/** Says that a topic has had an event that may not have come: push servers that subscribe compare. */
export interface Hint {
  readonly topic: Topic;
  /** The newest entry of a group's topic; 0 for an inbox, which is compared by Sync. */
  readonly seq: number;
}
