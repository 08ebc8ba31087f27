import type { Clock } from "../../base/clock.ts";
import { DrainingReason } from "../../gen/heddle/push/v1/frame_pb.js";
import { SWEEP_MS } from "../limits.ts";
import type { Session } from "./session.ts";

/**
 * All sessions of a push server, and the one timer that looks after their deadlines. Sessions are here from the moment
 * their stream is, by key from `open`.
 */
export class Sessions {
  readonly #clock: Clock;
  readonly #all = new Set<Session>();
  readonly #byKey = new Map<string, Session>();
  /** How many of them are each user's. */
  readonly #counts = new Map<string, number>();
  #isSweeping = false;
  #onEmpty: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Streams, those that have not said `open` among them. */
  get size(): number {
    return this.#all.size;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#all.values();
  }

  /** The open session of that id in hex. */
  get(key: string): Session | undefined {
    return this.#byKey.get(key);
  }

  /** The user's streams, those that have not said `open` among them. */
  countOf(userId: string): number {
    return this.#counts.get(userId) ?? 0;
  }

  add(session: Session): void {
    this.#all.add(session);
    this.#count(session, 1);
    this.#sweepSoon();
  }

  /** The session has said `open`. It takes the place of one of the same id: that one is told and ends. */
  opened(session: Session): void {
    const { key } = session.identity;
    const older = this.#byKey.get(key);
    this.#byKey.set(key, session);
    older?.drain(DrainingReason.REPLACED, 0, 0);
  }

  remove(session: Session): void {
    if (this.#all.delete(session)) this.#count(session, -1);
    const { key } = session.identity;
    if (this.#byKey.get(key) === session) this.#byKey.delete(key);
    if (this.#all.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  /** Resolves when there is no session. */
  empty(): Promise<void> {
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  #count({ identity: { userId } }: Session, change: 1 | -1): void {
    const count = this.countOf(userId) + change;
    if (count > 0) this.#counts.set(userId, count);
    else this.#counts.delete(userId);
  }

  #sweepSoon(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#clock.after(SWEEP_MS, () => {
      this.#isSweeping = false;
      const nowMs = this.#clock.monotonicMs();
      const wallMs = this.#clock.nowMs();
      for (const session of this.#all) session.sweep(nowMs, wallMs);
      if (this.#all.size > 0) this.#sweepSoon();
    });
  }
}
