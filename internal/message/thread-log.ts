import type { Head } from "../base/head.ts";
import { hex } from "../base/ids.ts";
import { bucketOf, type FoundHead } from "./head-finder.ts";
import type { PendingSends } from "./pending-sends.ts";
import type { EntryCellPut, ThreadView } from "./ports.ts";
import type { TouchAges } from "./touch-ledger.ts";

/** How many of the newest keys of a thread the append cache keeps for the duplicate search. */
const CACHED_KEYS = 256;

/**
 * What a server remembers of one thread between appends: the append cache. It serves appends only; the check-and-put
 * alone proves it fresh, and it is dropped whenever that fails (docs/design.md, section 5, "The cache serves appends only").
 */
export class ThreadLog {
  readonly key: string;
  readonly threadId: Uint8Array;
  readonly pending: PendingSends;
  /** Whether a round of this thread is under way. */
  busy = false;
  view: ThreadView | undefined;
  found: FoundHead | undefined;
  /** The bucket in which to look for the head first. */
  hint = 0;
  /** The highest seq that this server knows of and has published, or that was there before it looked; -1: none. */
  publishedSeq = -1;
  readonly touches: TouchAges = new Map();
  /** A touch that renews in the background. */
  renewing = false;
  readonly keys = new KeyCache();

  constructor(threadId: Uint8Array, pending: PendingSends) {
    this.key = hex(threadId);
    this.threadId = threadId;
    this.pending = pending;
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
