import type { ShownPresence, Watcher } from "../base/presence.ts";

/** A push server, as an instance calls it. */
export interface Link {
  /** The push server's name in the registry. */
  readonly name: string;
  /** What is to be shown of the user to these of the link's sessions. Must not throw or block. */
  told(userId: string, presence: ShownPresence, sessions: readonly string[]): void;
  /** The instance has closed the link: attach again, to the instance that owns the users. */
  closed(): void;
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

/** The registry, as an instance needs it. */
export interface Registry {
  /** The push servers that are registered. */
  pushServers(): readonly { readonly name: string }[];
}

/** The store of visibility is a port too: domain files take it from here. */
export type { Visibility, VisibilityStore } from "../store/thread-store.ts";
