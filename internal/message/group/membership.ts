import { type JoinedMember, MAX_MEMBERS, type Roster } from "../../base/group.ts";
import type { Head } from "../../base/head.ts";
import { hex } from "../../base/ids.ts";
import { ownBytes } from "../../base/own-bytes.ts";
import { isGroupThread } from "../../base/thread-id.ts";
import { MemoryShare } from "../memory-use.ts";
import { type Audience, directAudience, groupAudience, NO_AUDIENCE } from "./audience.ts";
import { NotedWriters } from "./noted-writers.ts";
import { EMPTY_ROSTER } from "./roster.ts";

/** What of a thread one user may see by its last span of membership; of those before it the row tells. */
export interface Range {
  /** The first entry of that span; 1 for a direct thread. */
  readonly firstSeq: number;
  /** The last entry, and the ordinal there: the thread's head, or where the user left. */
  readonly last: Pick<Head, "seq" | "ordinal">;
  /** Whether the user is no member of the group any more: it may not learn where the head is. */
  readonly hasLeft: boolean;
}

/** What sends are judged by, as of every head with this members_seq and epoch (docs/design.md, section 5, Judged at H). */
export interface View {
  readonly membersSeq: number;
  readonly epoch: number;
  /** Of a group; without members for a direct thread. */
  readonly roster: Roster;
  /** Who of a direct thread's users has blocked the other. */
  readonly blockedBy: readonly string[];
}

/** Hears of the members of each roster that is taken. */
export type MembersListener = (members: ReadonlyMap<string, JoinedMember>) => void;

const NOBODY: readonly string[] = [];
/** What a member of a roster takes besides its user_id, in bytes: measured, in ../log/thread-logs-memory.test.ts. */
const MEMBER_BYTES = 170;
/** The same of a user who was let in. */
const ADMITTED_BYTES = 100;

/** What a server remembers of who is in one thread. It is written here alone. */
export class Membership {
  readonly threadId: Uint8Array;
  /** The thread id in hex. */
  readonly key: string;
  readonly isGroup: boolean;
  /** The newest view that was loaded; its members_seq never falls. Of a group: the projection holds it. */
  #view: View | undefined;
  /** The users that entries reach by `#view`; of a direct thread by its users, whatever the view. */
  #audience: Audience = NO_AUDIENCE;
  /** Both users of a direct thread, in byte order; empty until one of them has come in, then never changed. */
  #participants: readonly string[] = NOBODY;
  /** Users of a group who are or were members: they may come in, and `#view` alone says who may send. */
  readonly #admitted = new Set<string>();
  /** When `#view` was surely the thread's: the moment before the read or the append that said so was sent. */
  #provenAtMs = Number.NEGATIVE_INFINITY;
  /** Of a direct thread: views of a lower epoch are not kept. */
  #lowestEpoch = 0;
  readonly #memory: MemoryShare;
  readonly #listener: MembersListener;
  /** Who has written here, as far as this server knows that the store has noted it. */
  readonly writers: NotedWriters;

  constructor(threadId: Uint8Array, memory = new MemoryShare(), listener: MembersListener = () => {}) {
    this.threadId = ownBytes(threadId);
    this.key = hex(threadId);
    this.isGroup = isGroupThread(threadId);
    this.#memory = memory;
    this.writers = new NotedWriters((userId) => this.memberSince(userId), memory);
    this.#listener = listener;
  }

  /** The newest view that was loaded. */
  get view(): View | undefined {
    return this.#view;
  }

  /** The users that entries reach, by the newest view. */
  get audience(): Audience {
    return this.#audience;
  }

  /** Both users of a direct thread, in byte order; empty until one of them has come in. */
  get participants(): readonly string[] {
    return this.#participants;
  }

  /** A moment at which `view` was the thread's, by the monotonic clock; later it may have changed elsewhere. */
  get provenAtMs(): number {
    return this.#provenAtMs;
  }

  /** Whether it is known that the user is or was a member. Membership as of a head is judged elsewhere. */
  lets(userId: string): boolean {
    if (!this.isGroup) return this.#participants.includes(userId);
    return this.#admitted.has(userId) || (this.#view?.roster.members.has(userId) ?? false);
  }

  /** The entry from which on the user is a member, by the newest view; 0 in a direct thread; undefined: it is none. */
  memberSince(userId: string): number | undefined {
    return this.isGroup ? this.#view?.roster.members.get(userId)?.joinedSeq : 0;
  }

  /** Lets a user in who is or was a member, and takes the users of a direct thread. */
  admit(userId: string, participants: readonly string[]): void {
    if (this.isGroup) {
      this.#admit(userId);
    } else if (this.#participants.length === 0) {
      this.#participants = participants;
      this.#audience = directAudience(participants);
      for (const user of participants) this.#memory.addBytes(2 * user.length);
    }
  }

  #admit(userId: string): void {
    if (this.#admitted.has(userId)) return;
    if (this.#admitted.size >= MAX_MEMBERS) {
      for (const user of this.#admitted) this.#memory.addBytes(-ADMITTED_BYTES - user.length);
      this.#admitted.clear();
    }
    this.#admitted.add(userId);
    this.#memory.addBytes(ADMITTED_BYTES + userId.length);
  }

  /** Takes a group's roster that the projection holds, unless a newer one is at hand. */
  takeRoster(roster: Roster, epoch: number): void {
    const before = this.#view;
    if (before && before.membersSeq >= roster.appliedSeq) return;
    this.#memory.addBytes(bytesOf(roster) - (before ? bytesOf(before.roster) : 0));
    this.#view = { membersSeq: roster.appliedSeq, epoch, roster, blockedBy: NOBODY };
    this.#audience = groupAudience(this.key, roster);
    this.#listener(roster.members);
  }

  /** Takes who of a direct thread's users has blocked the other, as read after this head was, unless that is old. */
  takeBlocks({ membersSeq, epoch }: Head, blockedBy: readonly string[]): View {
    const view = { membersSeq, epoch, roster: EMPTY_ROSTER, blockedBy };
    if (epoch < this.#lowestEpoch) return view;
    this.#lowestEpoch = epoch;
    this.#view = view;
    return view;
  }

  /** Forgets which user has blocked the other: it has changed, and the epoch says so from this one on. */
  forgetBlocks(epoch: number): void {
    this.#view = undefined;
    this.#lowestEpoch = Math.max(this.#lowestEpoch, epoch);
  }

  /** A head that was asked for, or appended to, at that moment: it proves the view at hand, if that is as of it. */
  proved({ membersSeq, epoch }: Head, askedAtMs: number): void {
    const view = this.#view;
    if (view?.membersSeq !== membersSeq || view.epoch !== epoch) return;
    if (askedAtMs > this.#provenAtMs) this.#provenAtMs = askedAtMs;
  }
}

function bytesOf({ members }: Roster): number {
  let bytes = MEMBER_BYTES * members.size;
  for (const userId of members.keys()) bytes += userId.length;
  return bytes;
}
