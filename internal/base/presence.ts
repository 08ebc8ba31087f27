/**
 * What push servers tell presence instances of their sessions, and what these tell of users (docs/design.md,
 * section 8). Plain data: bound directly in one process, carried by a stream between processes. Moments are told as
 * ages, in ms, because the clocks of two machines are not one.
 */

/**
 * Whether a user is there, as others may see it. `unknown`: an instance has just started and does not know yet.
 * `hidden`: the watcher may not see it any more.
 */
export type PresenceStatus = "unknown" | "online" | "offline" | "hidden";

/** A user's presence as shown. */
export interface ShownPresence {
  readonly status: PresenceStatus;
  /** When the last session ended, in Unix ms; 0 while online or not known. */
  readonly lastSeenAtMs: number;
}

/** A session that is there. */
export interface SessionUp {
  /** Names this session for ever: its id and a number of the push server's. */
  readonly name: string;
  readonly userId: string;
  /** How long ago it began, in ms. */
  readonly ageMs: number;
}

/** A session that ended. Told until confirmed, and in every digest for 60 s. */
export interface SessionDown {
  readonly name: string;
  readonly userId: string;
  /** How long ago it ended, in ms. */
  readonly ageMs: number;
  /** How long it had lasted, in ms. */
  readonly lastedMs: number;
}

/** What a push server tells an instance of the sessions whose users that instance owns. */
export interface SessionReport {
  /**
   * Of the last part of a digest alone: the names of the instances among which the push server looked for who owns
   * which user. With it all sessions have been named that are there, and all that ended within 60 s, of those of
   * these users that the instance owns. Else undefined: news, or a part of a digest that is not whole yet.
   */
  readonly ring: readonly string[] | undefined;
  readonly ups: readonly SessionUp[];
  readonly downs: readonly SessionDown[];
}

/** One session that watches users. */
export interface Watcher {
  /** As SessionUp.name. */
  readonly session: string;
  /** Whose session it is. */
  readonly viewerId: string;
}
