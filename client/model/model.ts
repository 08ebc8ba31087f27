/**
 * What an application sees: plain, immutable, JSON-friendly values. Ids are lower-case hex, numbers exact to
 * 2^53 − 1, times Unix milliseconds set by the server unless said otherwise (docs/design.md, sections 1 and 12).
 */
import type { HeddleError } from "../../internal/base/heddle-error.ts";

/** What a user is called and looks like. The id says who somebody is: two may be called the same. */
export interface Profile {
  readonly userId: string;
  /** Undefined where none is known: show the id. */
  readonly displayName: string | undefined;
  /** An https URL. */
  readonly pictureUrl: string | undefined;
}

/** What a member of a group may do: an owner also removes others and gives roles. */
export type Role = "owner" | "member";

/** One member of a group. */
export interface Member {
  readonly userId: string;
  readonly role: Role;
  /** When it was a member, ascending. In lists of members only. */
  readonly spans?: readonly Span[];
}

/** A time in which a user was a member of a group: the entries that it may see by it. */
export interface Span {
  /** The entry by which it came. */
  readonly firstSeq: number;
  /** The entry by which it went; undefined while it is a member. */
  readonly lastSeq?: number;
}

/** Who is a member of a group from an entry on. Its sender did it. The first entry of a group is one. */
export interface MemberChange {
  readonly kind: "member_change";
  readonly added: readonly Member[];
  /** Of the sender alone: it left. */
  readonly removed: readonly string[];
  /** Members that have another role from here on. */
  readonly changed: readonly Member[];
  /** The group's name, in its first entry; undefined in others. */
  readonly name: string | undefined;
  /** After it. */
  readonly memberCount: number;
  readonly isLarge: boolean;
}

/** What else of a group is different from an entry on. */
export interface SettingChange {
  readonly kind: "setting_change";
  readonly name: string;
}

/** What an entry says. `other` is a kind this client does not know yet: show a placeholder. */
export type EntryBody =
  | { readonly kind: "text"; readonly text: string }
  | MemberChange
  | SettingChange
  | { readonly kind: "void" }
  | { readonly kind: "other" };

/** One item of a thread's log. The same for every member, on every device. */
export interface Entry {
  /** 32 hex digits. */
  readonly threadId: string;
  /** 1, 2, 3 … without a hole. */
  readonly seq: number;
  /** The user who sent it. */
  readonly sender: string;
  /** The sender's id of this send; 32 hex digits. */
  readonly clientId: string;
  readonly baseSeq: number;
  /** How many of the entries 1..seq are messages. */
  readonly ordinal: number;
  readonly createdAtMs: number;
  readonly body: EntryBody;
}

/** How far a thread's log reaches. */
export interface Head {
  readonly seq: number;
  readonly ordinal: number;
}

/** The user's view of a thread. */
export interface Thread {
  /** 32 hex digits. */
  readonly threadId: string;
  readonly kind: "direct" | "group" | "other";
  /** The other user of a direct thread; undefined for other kinds. */
  readonly peer: string | undefined;
  /** The name of a group, 1–100 characters; undefined for other kinds. */
  readonly name: string | undefined;
  /** Members of a group; 0 for other kinds. */
  readonly memberCount: number;
  /** The user's own role in a group; undefined for other kinds, and for one who has left. */
  readonly role: Role | undefined;
  /** The user is no member of the group any more: what was said until then can be read, nothing can be sent. */
  readonly hasLeft: boolean;
  /** The group has, or once had, more than 256 members: no ticks beyond `sent`, no typing. */
  readonly isLarge: boolean;
  /** The user has blocked the other one of a direct thread. Whether that one has blocked is not told. */
  readonly isBlocked: boolean;
  /** The server has lost entries of it, or cannot read it now: what is held is shown, and others may be missing for good. */
  readonly isDamaged: boolean;
  /** When the newest known entry was made, or, without one, when the row last changed. For ordering and display. */
  readonly updatedAtMs: number;
  readonly isMuted: boolean;
  readonly head: Head;
  /** The user's own read position. */
  readonly readSeq: number;
  /** Messages above the read position. */
  readonly unread: number;
  /** The newest entry this device holds: the preview line. */
  readonly last: Entry | undefined;
}

/** Entries that the server has lost, by their seqs, both included. */
export type Lost = readonly [fromSeq: number, toSeq: number];

/** How far one user has got in a thread; 0 is unknown. */
export interface Receipt {
  readonly threadId: string;
  readonly userId: string;
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

/**
 * The life of a send. queued: kept on this device, not tried yet or waiting for its turn or for the server.
 * sending: tried, no outcome yet. checking: the outcome is being resolved with the server. sent: in the log.
 * delivered, read: the other side has got that far, in a group at least one of the others. failed: surely not in the log; retry or discard it.
 */
export type SendState = "queued" | "sending" | "checking" | "sent" | "delivered" | "read" | "failed";

/** One send as it stands. */
export interface OutboxItem {
  readonly clientId: string;
  /** Known from the start, for a direct thread too. */
  readonly threadId: string;
  /** The other user, if the send named one. */
  readonly to: string | undefined;
  readonly text: string;
  readonly state: SendState;
  /** When it was composed, by this device's clock. */
  readonly composedAtMs: number;
  readonly baseSeq: number;
  /** How often it was tried. */
  readonly attempt: number;
  /** Its place in the log, once sent. */
  readonly seq: number | undefined;
  readonly createdAtMs: number | undefined;
  /** Whether the recipient had no session when it was sent; undefined where the sender may not know. */
  readonly recipientOffline: boolean | undefined;
  /** Why the last try did not succeed, or why it failed for good. */
  readonly error: HeddleError | undefined;
}

/** Why the connection is as it is. */
export interface ConnectionReason {
  readonly kind:
    | "starting"
    /** The gateway or push server cannot be reached or says UNAVAILABLE. */
    | "server-away"
    /** A stream ended without notice. */
    | "stream-ended"
    /** Nothing came within 10 s of a ping. */
    | "no-answer"
    /** The server asked to move. */
    | "moving"
    /** The user token ran out and is being fetched anew. */
    | "token-expired"
    /** The user revoked this device. Final. */
    | "device-revoked"
    /** The server does not believe the credentials, or says they are another user's. Final. */
    | "not-signed-in"
    /** The server refused for another reason, which `error` names. Retried, with patience. */
    | "refused"
    /** The application closed the client. Final. */
    | "closed";
  readonly error?: HeddleError;
}

/**
 * offline: waiting for `retryAtMs`. connecting: asking the gateway, opening the stream. backfilling: the stream is
 * open and names what was missed. live: everything is named. draining: live, and moving to another push server.
 * signed-out: over; make a new client.
 */
export interface ConnectionState {
  readonly phase: "offline" | "connecting" | "backfilling" | "live" | "draining" | "signed-out";
  readonly reason: ConnectionReason | undefined;
  /** When the next try is due, by this device's clock; only when offline. */
  readonly retryAtMs: number | undefined;
}

/** Whether a user is there, as this user may see it. */
export interface Presence {
  readonly status: "online" | "offline";
  /** When the last session ended; undefined while online, or if not known. */
  readonly lastSeenAtMs: number | undefined;
}

/** Who sees a user's presence: everybody who shares a thread, or nobody. */
export type Visibility = "shared" | "nobody";

/** A page of a group's members, in the order of their ids. */
export interface MemberPage {
  readonly members: readonly Member[];
  /** Asks for the next page; undefined on the last. */
  readonly nextPageToken: string | undefined;
}

/** A page of users, in the order of their ids. */
export interface UserPage {
  readonly userIds: readonly string[];
  /** Asks for the next page; undefined on the last. */
  readonly nextPageToken: string | undefined;
}

/** A device of the user's. */
export interface Device {
  readonly deviceId: string;
  /** When it first opened a session, in Unix ms by the server's clock; anew where it had been dropped as the longest unused. */
  readonly createdAtMs: number;
  /** When it was last in use, likewise. */
  readonly lastOpenedAtMs: number;
}

/** What happens, by the event names of docs/design.md, section 4, where the wire has the same. */
export type ClientEvent =
  /** The connection changed. */
  | { readonly type: "state"; readonly state: ConnectionState }
  /** An entry that this device had not seen. In order of seq per thread, own sends included, each once. */
  | { readonly type: "entry"; readonly entry: Entry }
  /** A thread is new, or its row, head, read position or preview changed. */
  | { readonly type: "thread_changed"; readonly thread: Thread }
  /** A member, or another device of this user, got further. */
  | { readonly type: "receipt"; readonly receipt: Receipt }
  /** Somebody came, went, or can no longer be seen (undefined). */
  | { readonly type: "presence"; readonly userId: string; readonly presence: Presence | undefined }
  /** Somebody begins to write in a thread, or ends. */
  | {
      readonly type: "typing";
      readonly threadId: string;
      readonly userId: string;
      readonly isTyping: boolean;
    }
  /** What a user is called or looks like has become known, or changed. */
  | { readonly type: "profile"; readonly profile: Profile }
  /** A send changed. */
  | { readonly type: "outbox"; readonly item: OutboxItem }
  /** The backfill of a session has ended: every thread that changed has been named. */
  | { readonly type: "caught_up" }
  /** More was missed in this thread than `catchUp` allows: entries up to `upTo` come with `older()` only. */
  | { readonly type: "behind"; readonly threadId: string; readonly upTo: number }
  /** What this device held of a thread is not what the server has: it comes anew, and a view of it begins again. */
  | { readonly type: "dropped"; readonly threadId: string }
  /** The server's data was put back to an earlier state, or made anew: said once each time, in words for a person. */
  | { readonly type: "put_back"; readonly text: string }
  /** This device's storage cannot keep something: what is not kept is fetched again after a restart. */
  | { readonly type: "trouble"; readonly error: HeddleError }
  /** This listener did not keep up and has lost events: read the lists again. */
  | { readonly type: "behind_all" };
