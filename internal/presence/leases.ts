import { LEASE_MS } from "./limits.ts";

/** A session as an instance holds it. Times are live ms. */
export interface LeasedSession<User> {
  readonly name: string;
  readonly user: User;
  readonly sinceMs: number;
  /** When it was last named. */
  namedAtMs: number;
}

/**
 * The leases of sessions, in the order in which they were last renewed: all are of the same length, so the first in
 * the map runs out first, and a check looks at no more than it ends.
 */
export class Leases<User> {
  readonly #sessions = new Map<string, LeasedSession<User>>();

  get size(): number {
    return this.#sessions.size;
  }

  /** Renews the lease. False if no such session is known. */
  renew(name: string, nowMs: number): boolean {
    const session = this.#sessions.get(name);
    if (!session) return false;
    session.namedAtMs = nowMs;
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    return true;
  }

  add(session: LeasedSession<User>): void {
    this.#sessions.set(session.name, session);
  }

  /** Removes and returns the session, if it is known. */
  remove(name: string): LeasedSession<User> | undefined {
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    return session;
  }

  /** Removes and returns those that have run out. */
  takeExpired(nowMs: number): LeasedSession<User>[] {
    const expired: LeasedSession<User>[] = [];
    for (const session of this.#sessions.values()) {
      if (nowMs - session.namedAtMs < LEASE_MS) break;
      expired.push(session);
    }
    for (const { name } of expired) this.#sessions.delete(name);
    return expired;
  }
}
