import type { SessionDown, SessionReport, SessionUp, ShownPresence } from "../base/presence.ts";
import type { RingView } from "../base/ring.ts";
import { Learning } from "./learning.ts";
import { Leases } from "./leases.ts";
import { LAST_SEEN_USERS, OFFLINE_AFTER_MS } from "./limits.ts";
import { User } from "./user.ts";

/** One moment on three clocks, in ms. */
export interface Moment {
  /** LiveTime: for leases and delays. */
  readonly liveMs: number;
  readonly monotonicMs: number;
  /** Unix ms: for last seen. */
  readonly wallMs: number;
}

/** What an instance wants to hear of its users. */
export interface UsersInit {
  /** What is shown of a user has changed. */
  readonly changed: (userId: string, presence: ShownPresence) => void;
  /** What these users are is known from now on. */
  readonly learned: (covers: (userId: string) => boolean) => void;
}

const UNKNOWN: ShownPresence = { status: "unknown", lastSeenAtMs: 0 };

/**
 * The users of one presence instance: sessions by what push servers report, leases, and what is shown (docs/design.md,
 * section 8). Memory only: what is lost with an instance, the push servers' digests bring to the next. Time is passed
 * in.
 */
export class Users {
  readonly #init: UsersInit;
  readonly #leases = new Leases<User>();
  readonly #users = new Map<string, User>();
  /** Users that time alone, or a change that waits, will show differently. */
  readonly #moving = new Set<User>();
  /** Of users that nothing else is kept of, the longest away first. */
  readonly #lastSeen = new Map<string, number>();
  #lessons: Learning[] = [];

  constructor(init: UsersInit) {
    this.#init = init;
  }

  get sessions(): number {
    return this.#leases.size;
  }

  /** Users with a session, or shown as if. */
  get size(): number {
    return this.#users.size;
  }

  /** Whether there are users that nothing can be said of yet. */
  get isLearning(): boolean {
    return this.#lessons.length > 0;
  }

  /** The instance has come to own these users, and knows nothing of them. */
  learn(covers: (userId: string) => boolean, now: Moment): void {
    this.#lessons.push(new Learning(now.monotonicMs, covers));
  }

  /** What is shown of the user. */
  presenceOf(userId: string): ShownPresence {
    if (this.#isUnknown(userId)) return UNKNOWN;
    const user = this.#users.get(userId);
    if (user?.isShownOnline) return { status: "online", lastSeenAtMs: 0 };
    return { status: "offline", lastSeenAtMs: user?.lastSeenAtMs ?? this.#lastSeen.get(userId) ?? 0 };
  }

  /** What a push server says of its sessions. Repeats do no harm. */
  report(server: string, report: SessionReport, now: Moment): void {
    for (const up of report.ups) this.#up(up, now);
    for (const down of report.downs) this.#down(down, now);
    if (!report.ring) return;
    for (const lesson of this.#lessons) lesson.heard(server, report.ring);
  }

  /** Looks after learning, leases and delays. `ring`: the names of the instances by which users are owned. */
  check(now: Moment, pushServers: RingView, ring: ReadonlySet<string>): void {
    this.#checkLessons(now, pushServers, ring);
    for (const session of this.#leases.takeExpired(now.liveMs)) {
      const { user, namedAtMs } = session;
      user.sessions.delete(session);
      user.lost(now.liveMs);
      this.#seen(user, now.wallMs - (now.liveMs - namedAtMs));
      this.#settle(user, now);
    }
    for (const user of this.#moving) this.#settle(user, now);
  }

  #up({ name, userId, ageMs }: SessionUp, now: Moment): void {
    if (this.#leases.renew(name, now.liveMs)) return;
    const user = this.#users.get(userId) ?? this.#add(userId);
    const session = { name, user, sinceMs: now.liveMs - ageMs, namedAtMs: now.liveMs };
    this.#leases.add(session);
    user.sessions.add(session);
    user.up(session.sinceMs);
    this.#settle(user, now);
  }

  #down({ name, userId, ageMs, lastedMs }: SessionDown, now: Moment): void {
    const session = this.#leases.remove(name);
    // Repeats of what has no say any more make no record.
    if (!session && ageMs >= OFFLINE_AFTER_MS && !this.#users.has(userId) && !this.#isUnknown(userId)) return;
    const user = session?.user ?? this.#users.get(userId) ?? this.#add(userId);
    if (session) user.sessions.delete(session);
    const endMs = now.liveMs - ageMs;
    const startMs = session?.sinceMs ?? endMs - lastedMs;
    if (this.#isUnknown(userId)) user.noteMet(startMs, endMs);
    else if (session) user.down(endMs);
    else user.past(startMs, endMs);
    this.#seen(user, now.wallMs - ageMs);
    this.#settle(user, now);
  }

  #checkLessons(now: Moment, pushServers: RingView, ring: ReadonlySet<string>): void {
    const over = this.#lessons.filter((lesson) => lesson.isOver(now.monotonicMs, pushServers, ring));
    if (over.length === 0) return;
    this.#lessons = this.#lessons.filter((lesson) => !over.includes(lesson));
    const covers = (userId: string) =>
      over.some((lesson) => lesson.covers(userId)) && !this.#isUnknown(userId);
    for (const user of this.#users.values()) {
      if (!covers(user.userId)) continue;
      user.learned(now.liveMs);
      this.#settle(user, now);
    }
    this.#init.learned(covers);
  }

  #isUnknown(userId: string): boolean {
    return this.#lessons.some((lesson) => lesson.covers(userId));
  }

  #settle(user: User, now: Moment): void {
    if (this.#isUnknown(user.userId)) return;
    if (user.settle(now.liveMs, now.monotonicMs)) {
      this.#init.changed(user.userId, this.presenceOf(user.userId));
    }
    if (user.isMoving) this.#moving.add(user);
    else this.#moving.delete(user);
    if (user.sessions.size === 0 && !user.isMoving) this.#forget(user);
  }

  #add(userId: string): User {
    const user = new User(userId, this.#lastSeen.get(userId) ?? 0);
    this.#lastSeen.delete(userId);
    this.#users.set(userId, user);
    return user;
  }

  #seen(user: User, atMs: number): void {
    user.lastSeenAtMs = Math.max(user.lastSeenAtMs, Math.round(atMs));
  }

  #forget({ userId, lastSeenAtMs }: User): void {
    this.#users.delete(userId);
    if (lastSeenAtMs === 0) return;
    this.#lastSeen.set(userId, lastSeenAtMs);
    if (this.#lastSeen.size <= LAST_SEEN_USERS) return;
    for (const longestAway of this.#lastSeen.keys()) {
      this.#lastSeen.delete(longestAway);
      break;
    }
  }
}
