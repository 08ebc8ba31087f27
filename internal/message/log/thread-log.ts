import { MAX_MEMBERS, type Roster } from "../../base/group.ts";
import type { Head } from "../../base/head.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import { hex } from "../../base/ids.ts";
import { isGroupThread } from "../../base/thread-id.ts";
import type { EntryCellPut } from "../ports.ts";
import { type Audience, directAudience, groupAudience, NO_AUDIENCE } from "./audience.ts";
import { bucketOf, type FoundHead } from "./head-finder.ts";
import type { PendingSends } from "./pending-sends.ts";
import type { TouchAges } from "./touch-ledger.ts";

/** How many of the newest keys of a thread the append cache keeps for the duplicate search. */
const CACHED_KEYS = 256;

/** How many members all rosters have that are remembered: what bounds their memory, at about 200 bytes each. */
export interface RosterCount {
  members: number;
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

/** Somebody who waits for a raise of the epoch that begins from now on. */
export interface PendingRaise {
  readonly expiresAtMs: number;
  /** Called once, with an error if the outcome is unknown. Must not throw. */
  readonly settle: (error: HeddleError | undefined) => void;
}

/**
 * What a server remembers of one thread between appends: the append cache. It serves appends only; the check-and-put
 * alone proves it fresh, and it is dropped whenever that fails (docs/design.md, section 5, "The cache serves appends only").
 */
export class ThreadLog {
  readonly key: string;
  readonly threadId: Uint8Array;
  readonly isGroup: boolean;
  readonly pending: PendingSends;
  /** Raises of the epoch that wait for the next round. */
  readonly raises: PendingRaise[] = [];
  /** Whether a round of this thread is under way. */
  busy = false;
  /** Both users of a direct thread, in byte order; empty until one of them has come in. */
  participants: readonly string[] = [];
  /** Whom entries reach, by the newest view. */
  audience: Audience = NO_AUDIENCE;
  /** The newest view that was loaded. Of a group: the projection holds it. */
  view: View | undefined;
  /** A load of a group's roster that is under way, as of a head with this members_seq. */
  loading: { readonly membersSeq: number; readonly roster: Promise<Roster | undefined> } | undefined;
  /** Who has blocked whom, where no view is at hand. */
  blockedHint: readonly string[] | undefined;
  /** When a large group's activity row was last written, by the monotonic clock. */
  notedActivityMs = Number.NEGATIVE_INFINITY;
  readonly #admitted = new Set<string>();
  #counted: RosterCount;
  found: FoundHead | undefined;
  /** The bucket in which to look for the head first. */
  hint = 0;
  /** The highest seq that this server knows of and has published, or that was there before it looked; -1: none. */
  publishedSeq = -1;
  readonly touches: TouchAges = new Map();
  /** A touch that renews in the background. */
  renewing = false;
  readonly keys = new KeyCache();

  constructor(threadId: Uint8Array, pending: PendingSends, counted: RosterCount = { members: 0 }) {
    this.key = hex(threadId);
    this.threadId = threadId;
    this.isGroup = isGroupThread(threadId);
    this.pending = pending;
    this.#counted = counted;
  }

  /** Whether it is known that the user is or was a member. Membership as of a head is judged elsewhere. */
  lets(userId: string): boolean {
    if (!this.isGroup) return this.participants.includes(userId);
    return this.#admitted.has(userId) || (this.view?.roster.members.has(userId) ?? false);
  }

  /** Lets a user in who is or was a member, and takes the users of a direct thread. */
  admit(userId: string, participants: readonly string[]): void {
    if (this.isGroup) {
      if (this.#admitted.size >= MAX_MEMBERS) this.#admitted.clear();
      this.#admitted.add(userId);
    } else if (this.participants.length === 0) {
      this.participants = participants;
      this.audience = directAudience(participants);
    }
  }

  /** Takes a group's roster that the projection holds, unless a newer one is at hand. */
  takeRoster(roster: Roster, epoch: number): void {
    if (this.view && this.view.membersSeq >= roster.appliedSeq) return;
    this.#counted.members += roster.members.size - (this.view?.roster.members.size ?? 0);
    this.view = { membersSeq: roster.appliedSeq, epoch, roster, blockedBy: [] };
    this.audience = groupAudience(this.key, roster);
    for (const userId of this.touches.keys()) if (!roster.members.has(userId)) this.touches.delete(userId);
  }

  /** Nobody remembers the log any more. */
  forgotten(): void {
    this.#counted.members -= this.view?.roster.members.size ?? 0;
    // Whoever still holds the log counts for itself.
    this.#counted = { members: 0 };
  }

  /** Takes a head that was read. The keys above the old head are unknown, so the cache begins anew above it. */
  load(found: FoundHead): void {
    this.found = found;
    this.hint = found.bucket;
    this.keys.restart(found.head.seq);
  }

  /** Takes the head that our own append made, with its keys. */
  advance(head: Head, bytes: Uint8Array, cells: readonly EntryCellPut[], bucketSize: number): void {
    const bucket = bucketOf(head.seq + 1, bucketSize);
    // A bucket that we filled stays full; the next one was never there, and the check will prove it still is not.
    const stored = bucket === bucketOf(head.seq, bucketSize) ? bytes : undefined;
    this.found = { head, bucket, stored };
    this.hint = bucket;
    for (const cell of cells) this.keys.add(cell);
  }

  /** Takes the head that our own raise of the epoch made. */
  raised(head: Head, bytes: Uint8Array): void {
    if (this.found) this.found = { ...this.found, head, stored: bytes };
  }

  /** Forgets the head and the keys: somebody else may have appended. */
  drop(): void {
    this.found = undefined;
  }
}

const NO_SEQS: readonly number[] = [];

/** The tags of the newest entries of one thread: all with seq in (from, to]. */
export class KeyCache {
  /** Everything above this seq, up to the head, is here. */
  from = 0;
  readonly #seqsByTag = new Map<number, number[]>();
  #tags: number[] = [];

  /** Forgets everything; the next key is that of seq + 1. */
  restart(seq: number): void {
    this.from = seq;
    this.#seqsByTag.clear();
    this.#tags = [];
  }

  /** Adds the key of the entry right above the newest one. */
  add(cell: EntryCellPut): void {
    const tag = tagKey(cell.tag);
    this.#tags.push(tag);
    const seqs = this.#seqsByTag.get(tag);
    if (seqs) seqs.push(cell.seq);
    else this.#seqsByTag.set(tag, [cell.seq]);
    if (this.#tags.length >= 2 * CACHED_KEYS) this.#trim();
  }

  /** The seqs of cached entries with this tag: of one send, or, rarely, of several whose tags are equal. */
  find(tag: number): readonly number[] {
    return this.#seqsByTag.get(tag) ?? NO_SEQS;
  }

  #trim(): void {
    const dropped = this.#tags.splice(0, this.#tags.length - CACHED_KEYS);
    this.from += dropped.length;
    for (const tag of dropped) {
      const seqs = this.#seqsByTag.get(tag);
      seqs?.shift();
      if (seqs?.length === 0) this.#seqsByTag.delete(tag);
    }
  }
}

/**
 * A tag as a map key: 30 of its bits, which fit into a small integer, so that a key costs neither memory nor hashing.
 * Among the keys of a cache two tags are hardly ever equal in them, and then the cell decides, as for equal tags.
 */
export function tagKey(tag: Uint8Array): number {
  return (wordAt(tag, 0) ^ wordAt(tag, 4)) & 0x3fffffff;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
