import type { Clock } from "../base/clock.ts";
import { hex } from "../base/ids.ts";

/**
 * For how long a send that somebody has given up may still be tried at another server, in ms: a push server has it for
 * 10 s, the message server that gets it then for 10 s more, and its last write takes a few.
 */
export const TRIED_ELSEWHERE_MS = 25_000;
/** Sends that are remembered; beyond it the oldest must wait anew. */
const MAX_SENDS = 10_000;

/**
 * Sends of users who never were members of their group, whose seal is asked for: nothing can be appended for them, so only
 * time says that no other server will let such a try in meanwhile.
 */
export class LateTries {
  readonly #clock: Clock;
  /** When the seal was first asked for, by user and client_id, the oldest first. */
  readonly #askedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether no server can be trying the send any more; it counts from the first call. */
  areOver(userId: string, clientId: Uint8Array): boolean {
    const key = `${userId} ${hex(clientId)}`;
    const nowMs = this.#clock.monotonicMs();
    const askedAtMs = this.#askedAtMs.get(key);
    if (askedAtMs !== undefined) return nowMs - askedAtMs >= TRIED_ELSEWHERE_MS;
    this.#askedAtMs.set(key, nowMs);
    for (const oldest of this.#askedAtMs.keys()) {
      if (this.#askedAtMs.size <= MAX_SENDS) break;
      this.#askedAtMs.delete(oldest);
    }
    return false;
  }
}
