import { Latencies } from "./latency.ts";
import { SendLog } from "./send-log.ts";

/** What became of the posts to a group. */
export interface FanOutCounts {
  readonly sent: number;
  readonly accepted: number;
  /** Entries that came to members. */
  readonly arrived: number;
}

/**
 * Knows what the members of a group must get: every entry but their own, once, in the order of seq. Seqs that only rise
 * at each member, and as many entries in all as are due, prove it.
 */
export class FanOut {
  readonly #log = new SendLog();
  readonly #arrived = new Latencies();
  readonly #members: number;
  /** The highest seq that each member has got. */
  readonly #lastSeq = new Map<string, number>();
  #arrivedCount = 0;
  #problem: string | undefined;

  constructor(members: number) {
    this.#members = members;
  }

  get counts(): FanOutCounts {
    const { sent, accepted } = this.#log.counts;
    return { sent, accepted, arrived: this.#arrivedCount };
  }

  /** What a member got twice or out of order, the first of it. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether every post has been accepted, and has come to every other member. */
  get isSettled(): boolean {
    const { sent, accepted, arrived } = this.counts;
    return accepted === sent && arrived === sent * (this.#members - 1);
  }

  /** Numbers a post that was due at `dueMs` (performance.now). Returns its client_id: good until the next call. */
  next(dueMs: number): Uint8Array {
    return this.#log.next(dueMs);
  }

  noteAccepted(clientId: Uint8Array, nowMs: number): void {
    this.#log.noteAccepted(clientId, nowMs);
  }

  /** Notes an entry at a member. */
  noteArrived(userId: string, clientId: Uint8Array, seq: number, nowMs: number): void {
    const last = this.#lastSeq.get(userId) ?? 0;
    if (seq <= last) this.#problem ??= `${userId} got seq ${seq} after ${last}`;
    this.#lastSeq.set(userId, seq);
    this.#arrivedCount++;
    this.#arrived.add(nowMs - this.#log.dueMs(clientId));
  }

  /** Forgets the latencies so far: what was warm-up. */
  resetLatencies(): void {
    this.#log.accepted.reset();
    this.#arrived.reset();
  }

  /** As text, for Latencies' constructor: to `accepted`, and to each member. */
  latencies(): { readonly accepted: string; readonly arrived: string } {
    return { accepted: this.#log.accepted.encode(), arrived: this.#arrived.encode() };
  }
}
