import type { GroupChange } from "../../base/group.ts";
import type { EncodedBody } from "../cells/entry-cell.ts";
import type { Verdict } from "./verdict.ts";

/** What is asked of a group. */
export interface PendingChange {
  readonly wanted: GroupChange;
  /** Called instead of `settle` if nothing would be different. Must not throw. */
  readonly unchanged: () => void;
}

/** A send, the void of a seal, or a change of a group, that waits to be appended. */
export interface PendingSend {
  /** "void" for the entry of a seal, "change" for a member or setting entry. */
  readonly kind: "message" | "void" | "change";
  /** For kind "change". Its `body` is the request: the entry's body is made when it is judged. */
  readonly change?: PendingChange;
  readonly userId: string;
  readonly clientId: Uint8Array;
  /** 8 bytes of SHA-256(sender, client_id), and the same as a map key. */
  readonly tag: Uint8Array;
  readonly tagKey: number;
  readonly baseSeq: number;
  /** The duplicate search begins above it: baseSeq, or for a seal the head up to which was searched already. */
  readonly searchedSeq: number;
  readonly attempt: number;
  readonly body: EncodedBody;
  readonly originSession: string;
  /** By the monotonic clock: after it the send is answered UNAVAILABLE. */
  readonly expiresAtMs: number;
  /** Whether a check-and-put with this send was made: from then on nothing may say `committed=never`. */
  tried: boolean;
  /** Called once. Must not throw. */
  readonly settle: (verdict: Verdict) => void;
}

/** What a pending send is counted with beyond its body, in bytes. */
const OVERHEAD_BYTES = 512;

/** How many bytes a send is counted with in queues and batches. */
export function bytesOf(send: PendingSend): number {
  return OVERHEAD_BYTES + send.body.bytes.length;
}

/** The sends of one thread that wait, fair between senders: each in turn gives one. Bounded by its owner. */
export class PendingSends {
  readonly #bySender = new Map<string, PendingSend[]>();
  /** Sends of senders that are set aside, in their order; no sender is in both. */
  readonly #held = new Map<string, PendingSend[]>();
  /** Of all sends in `#bySender`. */
  #length = 0;
  /** Of all sends, also those set aside. */
  #bytes = 0;

  /** Sends that may be taken. */
  get length(): number {
    return this.#length;
  }

  /** All sends, in bytes, also those set aside. */
  get bytes(): number {
    return this.#bytes;
  }

  pushSend(send: PendingSend): void {
    this.#add(send, (queue) => queue.push(send));
  }

  /** Sets all sends of a sender aside, those to come too, until `release`. Returns those that are here now. */
  hold(userId: string): readonly PendingSend[] {
    const held = this.#held.get(userId);
    if (held) return [...held];
    const queue = this.#bySender.get(userId) ?? [];
    this.#bySender.delete(userId);
    this.#held.set(userId, queue);
    this.#length -= queue.length;
    return [...queue];
  }

  /** Lets the sends of a sender be taken again. */
  release(userId: string): void {
    const queue = this.#held.get(userId) ?? [];
    this.#held.delete(userId);
    if (queue.length > 0) this.#bySender.set(userId, queue);
    this.#length += queue.length;
  }

  /** Puts sends back that were taken, before all others of their senders, in their order. */
  putBack(sends: readonly PendingSend[]): void {
    for (const send of sends.toReversed()) this.#add(send, (queue) => queue.unshift(send));
  }

  /**
   * Takes at most `count` sends of together at most `bytes`, at least one, one of each sender in turn. A change of a
   * group is the last one taken: whatever comes after it is judged by what it makes of the group.
   */
  takeSends(count: number, bytes: number): PendingSend[] {
    const taken: PendingSend[] = [];
    let size = 0;
    for (const [sender, queue] of this.#bySender) {
      const send = queue[0] as PendingSend;
      const sendBytes = bytesOf(send);
      if (taken.length >= count || (taken.length > 0 && size + sendBytes > bytes)) break;
      size += sendBytes;
      taken.push(send);
      queue.shift();
      // The sender goes to the end of the round, and comes up again there.
      this.#bySender.delete(sender);
      if (queue.length > 0) this.#bySender.set(sender, queue);
      this.#length--;
      this.#bytes -= sendBytes;
      if (this.endsBatch(send)) break;
    }
    return taken;
  }

  protected endsBatch(send: PendingSend): boolean {
    return send.kind === "change";
  }

  /** Takes out those whose time is over, but for those set aside: they are taken out once they are released. */
  takeExpired(nowMs: number): PendingSend[] {
    const expired: PendingSend[] = [];
    for (const [sender, queue] of this.#bySender) {
      if (queue.every((send) => send.expiresAtMs > nowMs)) continue;
      const kept = queue.filter((send) => send.expiresAtMs > nowMs);
      expired.push(...queue.filter((send) => send.expiresAtMs <= nowMs));
      if (kept.length === 0) this.#bySender.delete(sender);
      else this.#bySender.set(sender, kept);
    }
    this.#length -= expired.length;
    for (const send of expired) this.#bytes -= bytesOf(send);
    return expired;
  }

  #add(send: PendingSend, add: (queue: PendingSend[]) => void): void {
    const held = this.#held.get(send.userId);
    const queue = held ?? this.#bySender.get(send.userId) ?? [];
    add(queue);
    if (!held) {
      this.#bySender.set(send.userId, queue);
      this.#length++;
    }
    this.#bytes += bytesOf(send);
  }
}
