import type { Clock } from "../../base/clock.ts";
import type { ShownPresence } from "../../base/presence.ts";
import { PULL_AFTER_MS, WATCH_AGAIN_MS, WATCH_EVERY_MS } from "../limits.ts";
import type { PresenceAttachment } from "../ports.ts";
import { presenceFrame } from "../session/events.ts";
import type { PresenceLinks } from "./presence-links.ts";

/** Where all is well a watch is answered within this, in ms: what clients ask elsewhere is judged by the same. */
const ANSWERED_MS = 1_000;

/** A session, as far as it is told who is there. */
export interface Watching {
  readonly identity: { readonly userId: string };
  /** An encoded `presence` of the user. */
  tell(userId: string, frame: Uint8Array): void;
  /** Drops what waits of users who are not among these. */
  tellOnlyOf(userIds: ReadonlySet<string>): void;
}

/** One user that a session watches. */
interface Watched {
  /** Where the watch is registered; undefined: there was no owner. */
  at: PresenceAttachment | undefined;
  /** What the session was told last. */
  told: ShownPresence | undefined;
  /** The client has named the user since it was told last, at this moment (monotonic ms): it is told even what it knows. */
  askedAtMs: number | undefined;
}

interface WatchingSession {
  readonly name: string;
  readonly session: Watching;
  readonly users: Map<string, Watched>;
  /** A set that came too soon after the last one; the newest counts. */
  next: readonly string[] | undefined;
  setAtMs: number;
}

/**
 * What the sessions of this push server watch, registered with the instance that owns each user (docs/design.md, section 8).
 * When the owner of a user changes, the watch is registered with the new one at once, and the status is pulled
 * PULL_AFTER_MS later, when that one has learned; until then the sessions keep what they were told.
 */
export class Watches {
  readonly #clock: Clock;
  readonly #links: PresenceLinks;
  readonly #sessions = new Map<string, WatchingSession>();

  constructor(clock: Clock, links: PresenceLinks) {
    this.#clock = clock;
    this.#links = links;
  }

  /** Replaces the set of users that the session watches: at once, or WATCH_EVERY_MS after the last time. */
  set(name: string, session: Watching, userIds: readonly string[]): void {
    let one = this.#sessions.get(name);
    if (!one) {
      one = { name, session, users: new Map(), next: undefined, setAtMs: Number.NEGATIVE_INFINITY };
      this.#sessions.set(name, one);
    }
    const waitMs = one.setAtMs + WATCH_EVERY_MS - this.#clock.monotonicMs();
    if (waitMs <= 0) {
      this.#replace(one, userIds);
      return;
    }
    const isWaiting = one.next !== undefined;
    one.next = userIds;
    if (!isWaiting) this.#clock.after(waitMs, () => this.#replaceByNext(name));
  }

  /** The session is over. */
  ended(name: string): void {
    const one = this.#sessions.get(name);
    if (!one) return;
    this.#sessions.delete(name);
    this.#unwatch(one, [...one.users]);
  }

  /** What is to be shown of a user to these sessions. Encoded once. */
  told(userId: string, presence: ShownPresence, names: readonly string[]): void {
    let frame: Uint8Array | undefined;
    for (const name of names) {
      const one = this.#sessions.get(name);
      const watched = one?.users.get(userId);
      if (!one || !watched || !isNews(watched, presence, this.#clock.monotonicMs())) continue;
      watched.told = presence;
      watched.askedAtMs = undefined;
      frame ??= presenceFrame(userId, presence);
      one.session.tell(userId, frame);
    }
  }

  /** Links or owners have changed. */
  renewed(): void {
    const moved: { readonly one: WatchingSession; readonly userIds: readonly string[] }[] = [];
    for (const one of this.#sessions.values()) {
      const users = [...one.users].filter(([userId, { at }]) => at !== this.#links.linkOf(userId));
      if (users.length === 0) continue;
      this.#unwatch(one, users);
      const userIds = users.map(([userId]) => userId);
      this.#watch(one, userIds);
      moved.push({ one, userIds });
    }
    if (moved.length === 0) return;
    this.#clock.after(PULL_AFTER_MS, () => {
      for (const { one, userIds } of moved) this.#pull(one, userIds);
    });
  }

  #pull(one: WatchingSession, userIds: readonly string[]): void {
    if (this.#sessions.get(one.name) !== one) return;
    this.#watch(
      one,
      userIds.filter((userId) => one.users.has(userId)),
    );
  }

  #replaceByNext(name: string): void {
    const one = this.#sessions.get(name);
    if (one?.next) this.#replace(one, one.next);
  }

  #replace(one: WatchingSession, named: readonly string[]): void {
    one.next = undefined;
    one.setAtMs = this.#clock.monotonicMs();
    const userIds = new Set(named);
    const left = [...one.users].filter(([userId]) => !userIds.has(userId));
    this.#unwatch(one, left);
    for (const [userId] of left) one.users.delete(userId);
    one.session.tellOnlyOf(userIds);
    for (const userId of userIds) {
      const watched = one.users.get(userId);
      if (watched) watched.askedAtMs = one.setAtMs;
      else one.users.set(userId, { at: undefined, told: undefined, askedAtMs: one.setAtMs });
    }
    this.#watch(one, [...userIds]);
  }

  #watch(one: WatchingSession, userIds: readonly string[]): void {
    const { name, session, users } = one;
    const byOwner = new Map<PresenceAttachment, string[]>();
    for (const userId of userIds) {
      const owner = this.#links.linkOf(userId);
      const watched = users.get(userId);
      if (watched) watched.at = owner;
      if (owner) gather(byOwner, owner, userId);
    }
    const watcher = { session: name, viewerId: session.identity.userId };
    for (const [owner, named] of byOwner) {
      owner.watch(watcher, named).catch(() => this.#watchAgain(one, owner, named));
    }
  }

  /** Where the link is gone the watch is registered over the next; where it was full, or slow, over the same one. */
  #watchAgain(one: WatchingSession, owner: PresenceAttachment, userIds: readonly string[]): void {
    this.#clock.after(WATCH_AGAIN_MS, () => {
      if (this.#sessions.get(one.name) !== one) return;
      const left = userIds.filter((userId) => one.users.get(userId)?.at === owner);
      if (this.#links.has(owner)) this.#watch(one, left);
    });
  }

  #unwatch({ name }: WatchingSession, users: readonly (readonly [string, Watched])[]): void {
    const byOwner = new Map<PresenceAttachment, string[]>();
    for (const [userId, { at }] of users) if (at) gather(byOwner, at, userId);
    for (const [owner, named] of byOwner) owner.unwatch(name, named);
  }
}

function gather(byOwner: Map<PresenceAttachment, string[]>, owner: PresenceAttachment, userId: string): void {
  const named = byOwner.get(owner);
  if (named) named.push(userId);
  else byOwner.set(owner, [userId]);
}

/**
 * A new instance that does not know yet takes nothing back that was told before. What was not shown is not hidden, unless it
 * took so long to say so that the client may have been told otherwise by ListPresence meanwhile.
 */
function isNews({ told, askedAtMs }: Watched, presence: ShownPresence, nowMs: number): boolean {
  const isAsked = askedAtMs !== undefined;
  if (presence.status === "hidden" && (!told || told.status === "hidden"))
    return isAsked && nowMs - askedAtMs > ANSWERED_MS;
  if (isAsked || !told) return true;
  if (presence.status === "unknown" && told.status !== "hidden") return false;
  return told.status !== presence.status || told.lastSeenAtMs !== presence.lastSeenAtMs;
}
