import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Blocks, Device, Groups, Presence, Role, Visibility } from "../../client/index.ts";

/**
 * What the page shows and does, as signals and plain data. Components know only this; `chat-model.ts` fills it from
 * the client library.
 */
export interface Model {
  /** Who is signed in. */
  readonly userId: string;
  readonly connection: ReadonlySignal<Connection>;
  /** What survives a reload: the person is told where it is not all. */
  readonly keeping: ReadonlySignal<Keeping>;
  /** That the server was put back to an earlier state, in words, until the person has seen it; else empty. */
  readonly putBack: Signal<string>;
  /** Most recently active first. */
  readonly chats: ReadonlySignal<readonly Chat[]>;
  /** False until the list is known, from this browser's storage or the server. */
  readonly isListed: ReadonlySignal<boolean>;
  readonly people: People;
  /**
   * What one does with groups; what comes of it is seen in chats and conversations. Rejects as the client library does:
   * changeProblem says it in words.
   */
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly devices: Devices;
  /** Opens a conversation; the caller closes it. */
  open(chatId: string): Conversation;
  /** The id of the chat with another user, whether it exists yet or not. Asks nobody. */
  idOf(userId: string): Promise<string>;
  /** Rejects with an Error that a person can read. */
  setMuted(chatId: string, isMuted: boolean): Promise<void>;
  /** Called with each message that somebody else sent just now. */
  onArrival(listener: (line: Line, chatId: string) => void): () => void;
  /** Tries to connect now instead of at the end of the pause. */
  reconnect(): void;
  /** Ends the session. What is in the outbox stays there. */
  close(): Promise<void>;
}

/** Who is there, and who writes. What is read while a component is drawn draws it anew when it changes. */
export interface People {
  /** This machine's clock, twice a minute: for "5 min ago". */
  readonly nowMs: ReadonlySignal<number>;
  /** Undefined where that is not known: no connection, or not to be seen. */
  presenceOf(userId: string): Presence | undefined;
  typistsIn(chatId: string): readonly string[];
  /** Who is on this part of the screen: their presence is kept up to date. */
  show(part: "chat" | "list", userIds: readonly string[]): void;
  /** What people call a user: a name, or the id where none is known. */
  nameOf(userId: string): string;
  /** An https URL of a picture; undefined where there is none. */
  pictureOf(userId: string): string | undefined;
  /** Who sees one's own presence. */
  visibility(): Promise<Visibility>;
  setVisibility(visibility: Visibility): Promise<Visibility>;
}

/** The user's own devices, as the server has them. */
export interface Devices {
  /** The one that this tab is. */
  readonly ownId: string;
  /** Those that are signed in, the last connected first. */
  list(): Promise<readonly Device[]>;
  /** Signs one out for ever. Once this tab's own is, its connection has ended, before this resolves. */
  revoke(deviceId: string): Promise<void>;
}

/** How the session stands. */
export type Connection =
  /** `connecting` is the first time only. */
  | { readonly phase: "connecting" | "online" | "reconnecting" }
  /** Waiting for the next try, at a time by this machine's clock. */
  | { readonly phase: "offline"; readonly retryAtMs: number | undefined }
  /** It will not come back by itself. */
  | { readonly phase: "ended"; readonly why: "expired" | "revoked" };

/** What this browser keeps: all; all but short notes, as drafts; or nothing beyond this tab's next reload. */
export type Keeping = "all" | "chats" | "nothing";

/** A row of the thread list. */
export interface Chat {
  /** The thread's id, in hex. */
  readonly id: string;
  /** What people call it: the other user's name, or the group's. */
  readonly title: string;
  /** Whether it is the one chat with that user. */
  readonly isDirect: boolean;
  /** One has blocked the other user. */
  readonly isBlocked: boolean;
  /** The server has lost a part of it, or cannot read it. */
  readonly isDamaged: boolean;
  /** The newest message, if it is known here. */
  readonly last: Line | undefined;
  readonly updatedAtMs: number;
  /** Messages beyond the read position. */
  readonly unread: number;
  readonly isMuted: boolean;
}

/** What a conversation is, beside its messages. */
export interface About {
  /** False until this browser knows the chat, or the server has listed all there are: then all below means nothing. */
  readonly isKnown: boolean;
  readonly isGroup: boolean;
  readonly memberCount: number;
  /** One's own, in a group. */
  readonly role: Role | undefined;
  readonly hasLeft: boolean;
  /** One has blocked the other user. */
  readonly isBlocked: boolean;
  /** The server has lost a part of it, or cannot read it. */
  readonly isDamaged: boolean;
}

/** One conversation on the screen. */
export interface Conversation {
  readonly chatId: string;
  /** What people call it. */
  readonly title: ReadonlySignal<string>;
  readonly about: ReadonlySignal<About>;
  /** Whether the newest page is here, or was tried in vain. */
  readonly isLoaded: ReadonlySignal<boolean>;
  /** Oldest first, without a hole: what is committed in order of seq, then what is on its way. */
  readonly lines: ReadonlySignal<readonly Line[]>;
  /** Whether there is history above the first line. */
  readonly hasOlder: ReadonlySignal<boolean>;
  /** The read position when the conversation was opened: what lies above it was new. Certain once loaded. */
  readonly readSeqAtOpen: number;
  /** How far the thread reached then. What comes later, one sees come. */
  readonly headSeqAtOpen: number;
  /** Puts the page above the first line in front of it. Rejects with an Error that a person can read. */
  loadOlder(): Promise<void>;
  /** Queues a message; it is kept until its outcome is known, through reloads too. */
  send(text: string): Promise<void>;
  /** Somebody has changed what is in the field. */
  typing(): void;
  /** Sends a failed line again. */
  retry(line: Line): Promise<void>;
  /** Takes a failed line away; it was not sent and never will be. */
  discard(line: Line): Promise<void>;
  /** Everything up to this seq has been on the screen before somebody's eyes. */
  markRead(seq: number): void;
  /** Shows the newest page only, to keep the page quick after a long look back. */
  trim(): void;
  close(): void;
}

/**
 * How far one's own message has got. `checking`: whether it was sent is being found out; until then it is neither
 * sent again nor called failed.
 */
export type Tick = "queued" | "sending" | "checking" | "failed" | "sent" | "delivered" | "read";

/** One message, or one change of a group, as it is shown. */
export interface Line {
  /** The client_id in hex: stays the same from the outbox to the log. */
  readonly key: string;
  /** Undefined while it is not in the log. */
  readonly seq: number | undefined;
  readonly sender: string;
  readonly isOwn: boolean;
  /** Undefined for a kind of message that this page is too old to show. */
  readonly text: string | undefined;
  /** What became of a group: the text is a sentence about it, and nobody's message. */
  readonly isChange: boolean;
  /** What stands between it and the line before, in words: the user was no member, or messages are lost. */
  readonly gap?: string | undefined;
  readonly createdAtMs: number;
  /** Set for one's own lines. */
  readonly tick: Tick | undefined;
  /** Why it failed, for a person; set with `failed`. */
  readonly failure: string | undefined;
}
