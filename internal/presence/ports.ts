import type { SessionReport, ShownPresence, Watcher } from "../base/presence.ts";
import type { Member, Ring } from "../base/ring.ts";

/** A push server, as an instance calls it. */
export interface Link {
  /** The push server's name in the registry. */
  readonly name: string;
  /** What is to be shown of the user to these of the link's sessions. Must not throw or block. */
  told(userId: string, presence: ShownPresence, sessions: readonly string[]): void;
  /** The instance has closed the link: attach again, to the instance that owns the users. */
  closed(): void;
}

/** A push server's side of its link. */
export interface Attachment {
  /** Resolves when it is taken in: the downs in it need not be told again. */
  report(report: SessionReport): Promise<void>;
  /** Begins to watch these users, and tells of each that may be seen. Users already watched are told of again. */
  watch(watcher: Watcher, userIds: readonly string[]): Promise<void>;
  unwatch(session: string, userIds: readonly string[]): void;
  /** A goodbye. */
  close(): void;
}

/** What an instance is told and asked by thread and message servers, and by the other instances. */
export interface PresenceInstance {
  /**
   * A block between the two was set or taken back, and is stored. When it resolves neither is told of the other, by
   * watch or list, but by a check that began later.
   */
  blockChanged(a: string, b: string): Promise<void>;
  /**
   * These users, at most MAX_CHANGE, have joined or left a group, which is stored. When it resolves nobody is told, by
   * watch or list, what it may not be told any more; watches that may open do so soon after.
   */
  membersChanged(userIds: readonly string[]): Promise<void>;
  /**
   * Who sees the user was set, and is stored. When it resolves nobody is told of the user but by a check that began
   * later. `hides`: it was set to nobody.
   */
  visibilityChanged(userId: string, hides: boolean): Promise<void>;
  /**
   * What is to be shown of those of the users that this instance owns, the same for every asker: who may see them is
   * for the asking instance to judge.
   */
  presencesOf(userIds: readonly string[]): Promise<ReadonlyMap<string, ShownPresence>>;
}

/** Where an instance stands among the others. */
export interface Place {
  /** Its name in the registry. */
  readonly name: string;
  /** Its registration: whether it surely stands there at this moment, by its own clock. */
  readonly lease: { isSure(): boolean };
  /** The instances that serve, this one among them. The rendezvous winner among them owns a user. */
  readonly ring: Ring;
  /** All that are registered, those that leave among them. */
  readonly registered: Ring;
  /** The push servers that are registered, those that leave among them. */
  readonly pushServers: Ring;
  /** Another instance. Must not throw: one that cannot be reached rejects when it is asked. */
  readonly instance: (member: Member) => PresenceInstance;
}

/** A session that watches, and the link it is behind. */
export interface LinkedWatcher extends Watcher {
  readonly link: Link;
}

/** Who may see whose presence. */
export interface Privacy {
  /** Whether `viewer` may see the presence of `user`, at a moment within the call. */
  maySee(viewer: string, user: string): Promise<boolean>;
}

/** The thread service, as far as privacy needs it. */
export interface Acquaintances {
  /** Whether the two have a direct thread, or are members of one group. */
  shares(a: string, b: string): Promise<boolean>;
  /** Whether the user has written in a thread that both are in, or has made that group, or added the viewer to it. */
  shows(viewer: string, user: string): Promise<boolean>;
  /** Who of the two has blocked the other: none, one or both names. */
  between(a: string, b: string): Promise<readonly string[]>;
}

/** The store of visibility is a port too: domain files take it from here. */
export type { Visibility, VisibilityStore } from "../store/thread-store.ts";
