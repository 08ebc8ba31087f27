import { bodyLength } from "../model/body-length.ts";
import type { Entry, Head, Span } from "../model/model.ts";
import { type Range, RangeSet } from "./range-set.ts";
import { spaceBetween } from "./spans.ts";

interface Room {
  readonly entries: number;
  readonly bytes: number;
}

/** What is held of a thread that nobody looks at, and of one that is open before a person. */
const CLOSED: Room = { entries: 200, bytes: 256 * 1024 };
const OPEN: Room = { entries: 5_000, bytes: 8 * 1024 * 1024 };

/** About what an entry takes in memory beside its text. */
const ENTRY_BYTES = 400;

/**
 * What this device holds of one thread, and what it misses (docs/design.md, promise 5). Entries come in any order
 * and any number of times; they leave in order of seq, each once.
 *
 * `position`: everything up to it has been given to the application, or was skipped on purpose. `head`: how far the
 * log is known to reach. What lies between and is not held is missing, and is pulled: exactly that. Whether an entry
 * is a repeat is judged by what is held and by nothing else.
 */
export class ThreadLog {
  readonly #entries = new Map<number, Entry>();
  readonly #held = new RangeSet();
  /** What is held, and what is not for this user to see: nothing in it is missing. */
  readonly #covered = new RangeSet();
  /** What is not for this user to see, ascending: the space before and between its spans of membership. */
  #space: readonly Range[] = [];
  /** What the server has lost. */
  readonly #lost = new RangeSet();
  #position: number;
  #head: Head;
  #bytes = 0;
  /** Nothing above it is for this user, who has left. */
  #end = Number.POSITIVE_INFINITY;
  /** Whether a person looks at it: more of it is held. */
  isOpen = false;

  constructor(position = 0, head: Head = { seq: 0, ordinal: 0 }) {
    this.#position = position;
    this.#head = head;
  }

  get position(): number {
    return this.#position;
  }

  get head(): Head {
    return this.#head;
  }

  /** The highest seq held, the base_seq of a send composed now. */
  get highest(): number {
    return Math.max(this.#position, this.#held.highest);
  }

  /** The newest entry held. */
  get last(): Entry | undefined {
    return this.#entries.get(this.#held.highest);
  }

  /** About what is held, in bytes of memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get(seq: number): Entry | undefined {
    return this.#entries.get(seq);
  }

  /** Learns that the log reaches at least this far. Returns whether that is news. */
  learn(head: Head): boolean {
    if (head.seq > this.#end) return false;
    if (head.seq < this.#head.seq || (head.seq === this.#head.seq && head.ordinal <= this.#head.ordinal)) {
      return false;
    }
    this.#head = head;
    return true;
  }

  /** Takes entries and returns those whose turn has come. */
  takeEntries(entries: readonly Entry[]): readonly Entry[] {
    for (const entry of entries) {
      if (this.#entries.has(entry.seq) || entry.seq > this.#end) continue;
      this.#entries.set(entry.seq, entry);
      this.#held.add(entry.seq, entry.seq);
      this.#covered.add(entry.seq, entry.seq);
      this.#bytes += bytesOf(entry);
      this.learn({ seq: entry.seq, ordinal: entry.ordinal });
    }
    const due: Entry[] = [];
    this.#passSpace();
    for (
      let next = this.#entries.get(this.#position + 1);
      next;
      next = this.#entries.get(this.#position + 1)
    ) {
      due.push(next);
      this.#position = next.seq;
      this.#passSpace();
    }
    this.#trim(this.isOpen ? OPEN : CLOSED);
    return due;
  }

  /** The lowest range that is missing above the position. */
  missing(): { readonly afterSeq: number; readonly count: number } | undefined {
    const range = this.#covered.firstMissing(this.#position + 1, this.#head.seq);
    return range && { afterSeq: range[0] - 1, count: range[1] - range[0] + 1 };
  }

  /** Sets the position of a thread of which nothing was given out yet: what is below is history. */
  startAt(seq: number): void {
    this.#position = Math.max(this.#position, Math.min(seq, this.#head.seq));
  }

  /** The user has left: the log ends here, though more may have been heard of. */
  endAt(head: Head): void {
    this.#end = head.seq;
    if (head.seq < this.#head.seq) this.#head = head;
    else this.learn(head);
  }

  /** The user is a member: the log goes on. */
  goOn(): void {
    this.#end = Number.POSITIVE_INFINITY;
  }

  /** The user sees these spans, ascending, and nothing before or between them: that is no hole. */
  see(spans: readonly Span[]): void {
    for (const [from, to] of this.#space) this.#covered.remove(from, to);
    this.#space = spaceBetween(spans);
    for (const [from, to] of [...this.#space, ...this.#lost.ranges, ...this.#held.ranges])
      this.#covered.add(from, to);
    this.#passSpace();
  }

  /** The server has lost these: nothing in between is missing. */
  passLost(fromSeq: number, toSeq: number): void {
    this.#lost.add(fromSeq, toSeq);
    this.#covered.add(fromSeq, toSeq);
    this.#passSpace();
  }

  /** The user has come in, and where it was a member before is not known yet: nothing below `seq` is missing. */
  beginAt(seq: number): void {
    this.goOn();
    this.#position = Math.max(this.#position, seq - 1);
  }

  /** If more than `most` entries are missing or waiting, skips the oldest. Returns the seq up to which, or 0. */
  skip(most: number): number {
    let upTo = this.#head.seq - most;
    for (const [from, to] of this.#space.toReversed()) {
      if (to > upTo && to > this.#position) upTo -= to - Math.max(from - 1, this.#position);
    }
    if (upTo <= this.#position) return 0;
    this.#position = upTo;
    return upTo;
  }

  /** What the server has said that it lost, ascending. */
  get lost(): readonly Range[] {
    return this.#lost.ranges;
  }

  /** The seq from which on nothing up to the newest entry held is missing; undefined while none is held. */
  get wholeFrom(): number | undefined {
    return this.#covered.runAt(this.#held.highest)?.[0];
  }

  /**
   * The newest entries held, ascending, without a hole; between spans of membership, and where the server has lost some,
   * their seqs jump.
   */
  newest(): readonly Entry[] {
    const { wholeFrom = 1 } = this;
    const newest: Entry[] = [];
    for (const [from, to] of this.#held.ranges) {
      if (from < wholeFrom) continue;
      for (let seq = from; seq <= to; seq++) newest.push(this.#entries.get(seq) as Entry);
    }
    return newest;
  }

  /** The ordinal at `seq`, where this device can tell. */
  ordinalAt(seq: number): number | undefined {
    if (seq === 0) return 0;
    return seq === this.#head.seq ? this.#head.ordinal : this.#entries.get(seq)?.ordinal;
  }

  /** Holds the newest entry only, for the preview line. What waited for a gap is pulled again. */
  shrink(): void {
    this.#trim({ entries: 1, bytes: 0 });
  }

  /** Where the next entry is not for this user to see, or lost, the position goes to what comes after it. */
  #passSpace(): void {
    const next = () =>
      [...this.#space, ...this.#lost.ranges].find(
        ([from, to]) => from <= this.#position + 1 && this.#position + 1 <= to,
      );
    for (let space = next(); space; space = next()) this.#position = space[1];
  }

  /** Old history goes first; of what waits for a gap, the newest: it is pulled again. */
  #trim(room: Room): void {
    while (this.#entries.size > room.entries || (this.#bytes > room.bytes && this.#entries.size > 1)) {
      const lowest = this.#held.ranges[0]?.[0] ?? 0;
      const seq = lowest <= this.#position ? lowest : this.#held.highest;
      const entry = this.#entries.get(seq);
      this.#entries.delete(seq);
      this.#held.remove(seq, seq);
      this.#covered.remove(seq, seq);
      if (entry) this.#bytes -= bytesOf(entry);
    }
  }
}

function bytesOf(entry: Entry): number {
  return ENTRY_BYTES + 2 * bodyLength(entry.body);
}
