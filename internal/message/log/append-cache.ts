import type { Head } from "../../base/head.ts";
import { tagKey } from "../cells/send-tag.ts";
import { MemoryShare } from "../memory-use.ts";
import type { EntryCellPut } from "../ports.ts";
import type { FoundHead } from "./head-finder.ts";

/** How many of the newest keys of a thread are kept for the duplicate search. */
const CACHED_KEYS = 256;

/**
 * What a server remembers of the end of one thread's log between appends. It serves appends only; the check-and-put
 * alone proves it fresh, and it is dropped whenever that fails (docs/design.md, section 5, "The cache serves appends
 * only"). It is written here alone.
 */
export class AppendCache {
  /** The head as it was read, or made by our own append; undefined once somebody else may have moved it. */
  #found: FoundHead | undefined;
  /** Where to look for the head first: never above its bucket, since rows exist without a gap. */
  #hint: number;
  /** The highest seq that this server knows of and has published, or that was there before it looked; -1: none. */
  #publishedSeq = -1;
  /** While the head is known: the keys of all entries with seq in (keys.from, head.seq]. */
  readonly keys: KeyCache;

  /** `hint` is the bucket in which to look for the head first. */
  constructor(hint = 0, memory = new MemoryShare()) {
    this.#hint = hint;
    this.keys = new KeyCache(memory);
  }

  get found(): FoundHead | undefined {
    return this.#found;
  }

  get hint(): number {
    return this.#hint;
  }

  get publishedSeq(): number {
    return this.#publishedSeq;
  }

  /** The bucket of the head that is known; 0 where none is: a bucket hint of a thread row is never lowered. */
  get headBucket(): number {
    return this.#found?.bucket ?? 0;
  }

  /** Takes a head that was read. The keys above the old head are unknown, so the cache begins anew above it. */
  loadHead(found: FoundHead): void {
    this.#found = found;
    this.#hint = found.bucket;
    this.keys.restart(found.head.seq);
  }

  /** Takes the head that our own append made, with what the next one is checked against, and its keys. */
  advance(found: FoundHead, cells: readonly EntryCellPut[]): void {
    this.#found = found;
    this.#hint = found.bucket;
    for (const cell of cells) this.keys.add(cell);
  }

  /** Takes the head that our own raise of the epoch made, in the row of the one known. */
  raised(head: Head, bytes: Uint8Array): void {
    if (this.#found) this.#found = { ...this.#found, head, stored: bytes };
  }

  /** Everything up to this seq was published, or was there before this server looked. */
  published(seq: number): void {
    this.#publishedSeq = seq;
  }

  /** Forgets the head and the keys: somebody else may have appended. */
  drop(): void {
    this.#found = undefined;
  }

  /** Forgets as well what was published: another server appends now, and publishes what it finds and what it appends. */
  forget(): void {
    this.#found = undefined;
    this.#publishedSeq = -1;
  }
}

const NO_SEQS: readonly number[] = [];
const NO_TAGS = new Int32Array(0);
/** Room for keys at first; it doubles as they come, up to twice CACHED_KEYS. */
const FIRST_KEYS = 16;

/**
 * The tags of the newest entries of one thread: all with seq in (from, to]. They lie side by side, 4 bytes each, and are
 * searched from one end to the other: 0.3 µs for 512. A map of lists found them in 0.1 µs and took 25 to 48 KB.
 */
export class KeyCache {
  /** Everything above this seq, up to the head, is here. */
  from = 0;
  /** `#tags[at]` is the tag of the entry `from + 1 + at`, for at < `#count`. */
  #tags = NO_TAGS;
  #count = 0;
  readonly #memory: MemoryShare;

  constructor(memory = new MemoryShare()) {
    this.#memory = memory;
  }

  /** Forgets everything; the next key is that of seq + 1. */
  restart(seq: number): void {
    this.from = seq;
    this.#count = 0;
  }

  /** Adds the key of the entry right above the newest one. */
  add(cell: EntryCellPut): void {
    if (this.#count === 2 * CACHED_KEYS) this.#trim();
    else if (this.#count === this.#tags.length) this.#grow();
    this.#tags[this.#count] = tagKey(cell.tag);
    this.#count += 1;
  }

  /** The seqs of cached entries with this tag: of one send, or, rarely, of several whose tags are equal. */
  seqsOfTag(tag: number): readonly number[] {
    let seqs: number[] | undefined;
    for (let at = this.#indexOf(tag, 0); at >= 0; at = this.#indexOf(tag, at + 1)) {
      seqs ??= [];
      seqs.push(this.from + 1 + at);
    }
    return seqs ?? NO_SEQS;
  }

  #indexOf(tag: number, from: number): number {
    const at = this.#tags.indexOf(tag, from);
    return at < this.#count ? at : -1;
  }

  #grow(): void {
    const larger = new Int32Array(Math.max(FIRST_KEYS, 2 * this.#tags.length));
    larger.set(this.#tags);
    this.#memory.addBytes(larger.byteLength - this.#tags.byteLength);
    this.#tags = larger;
  }

  #trim(): void {
    this.#tags.copyWithin(0, this.#count - CACHED_KEYS);
    this.from += this.#count - CACHED_KEYS;
    this.#count = CACHED_KEYS;
  }
}
