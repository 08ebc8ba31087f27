import type { LeasedSession } from "./leases.ts";
import { CHANGE_EVERY_MS } from "./limits.ts";
import { ShownStatus } from "./shown-status.ts";

/** A stretch of time, in live ms. */
interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

/** One user as an instance knows them: sessions, and what is shown. Kept while anything of it may still matter. */
export class User {
  readonly userId: string;
  readonly sessions = new Set<LeasedSession<User>>();
  /** When the last session ended, in Unix ms; 0: not known. */
  lastSeenAtMs: number;
  /** Whether online is shown: follows `#status`, at most once in CHANGE_EVERY_MS. */
  isShownOnline = false;
  #status = new ShownStatus();
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #past: Stretch[] = [];

  constructor(userId: string, lastSeenAtMs: number) {
    this.userId = userId;
    this.lastSeenAtMs = lastSeenAtMs;
  }

  /** Whether time alone will change what is shown, or a change waits. */
  get isMoving(): boolean {
    return this.#status.isMoving || this.#status.isOnline !== this.isShownOnline;
  }

  /** A session is new, and among `sessions`. */
  up(sinceMs: number): void {
    this.#status.up(sinceMs);
  }

  /** A session ended that was among `sessions`, and is no longer. */
  down(endMs: number): void {
    this.#status.down(endMs, this.sessions.size === 0);
  }

  /** A session is over that never was among `sessions`: it was there all the same. */
  past(startMs: number, endMs: number): void {
    if (this.sessions.size === 0) this.#status.past(startMs, endMs);
  }

  /** A lease ran out, and the session is not among `sessions`. */
  lost(nowMs: number): void {
    if (this.sessions.size === 0) this.#status.lost(nowMs);
  }

  /** Notes, while the instance learns, a session that is over. */
  noteMet(startMs: number, endMs: number): void {
    this.#past.push({ startMs, endMs });
  }

  /** The instance has learned: what is shown follows from all sessions of which it heard, in the order of time. */
  learned(nowMs: number): void {
    const open = [...this.sessions].map(({ sinceMs }) => ({ atMs: sinceMs, by: 1 }));
    const over = this.#past.flatMap(({ startMs, endMs }) => [
      { atMs: startMs, by: 1 },
      { atMs: endMs, by: -1 },
    ]);
    const edges = [...open, ...over].sort((a, b) => a.atMs - b.atMs || b.by - a.by);
    this.#status = new ShownStatus();
    this.#past = [];
    let count = 0;
    for (const { atMs, by } of edges) {
      count += by;
      if (by > 0) this.#status.up(atMs);
      else this.#status.down(atMs, count === 0);
    }
    this.#status.settle(nowMs);
    this.isShownOnline = this.#status.isOnline;
  }

  /** Shows what time has brought, `monotonicMs` being when. True if what is shown has changed. */
  settle(nowMs: number, monotonicMs: number): boolean {
    this.#status.settle(nowMs);
    if (this.#status.isOnline === this.isShownOnline) return false;
    if (monotonicMs - this.#changedAtMs < CHANGE_EVERY_MS) return false;
    this.#changedAtMs = monotonicMs;
    this.isShownOnline = this.#status.isOnline;
    return true;
  }
}
