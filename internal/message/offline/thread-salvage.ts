import { BUCKET_SIZE, decodeHead, EMPTY_HEAD, encodeHead, HEAD_BYTES, type Head } from "../../base/head.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import { previousOf } from "../group/member-entry.ts";
import type { EntryCellPut } from "../ports.ts";

/** Entries that are gone, from one seq to another. */
export type LostSeqs = readonly [from: number, to: number];

/**
 * What is left of a damaged log of one thread, whose entries and heads are given in order, made one that can be served
 * and gone on with (docs/design.md, section 5, Lost entries). Entries stay at their seqs, and a hole stays a hole. Each
 * row gets a head again, and the last says at least what stands below it: so no seq that is still there is given twice.
 */
export class ThreadSalvage {
  readonly #heads = new Map<number, Head>();
  /** The last entry of each bucket, as a head. */
  readonly #tops = new Map<number, Head>();
  readonly #lost: LostSeqs[] = [];
  #last: Head = EMPTY_HEAD;
  #highest: Head = EMPTY_HEAD;

  /** The head of a row, as it is stored. */
  addHead(bucket: number, bytes: Uint8Array): void {
    if (bytes.length !== HEAD_BYTES) return;
    const head = decodeHead(bytes);
    this.#heads.set(bucket, head);
    if (head.seq >= this.#highest.seq) this.#highest = head;
  }

  /** The next entry. Throws what decodeCell does. */
  addEntry({ seq, value }: EntryCellPut): void {
    if (seq <= this.#last.seq) return;
    const { ordinal, body } = decodeCell(value);
    if (seq > this.#last.seq + 1) this.#lost.push([this.#last.seq + 1, seq - 1]);
    const membersSeq = previousOf(body) === undefined ? this.#last.membersSeq : seq;
    this.#last = { ...EMPTY_HEAD, seq, ordinal: Number(ordinal), membersSeq };
    this.#tops.set(Math.floor((seq - 1) / BUCKET_SIZE), this.#last);
  }

  /** The highest seq that the log has, though the entry be lost. */
  get seq(): number {
    return Math.max(this.#highest.seq, this.#last.seq);
  }

  /** Below that. */
  get lost(): readonly LostSeqs[] {
    const { seq } = this;
    return this.#last.seq < seq ? [...this.#lost, [this.#last.seq + 1, seq]] : this.#lost;
  }

  /**
   * Whether the last head is made anew, and none that is left has an epoch: so that the epoch it gets is of the making,
   * and says nothing of blocks.
   */
  get isEpochMade(): boolean {
    const { seq } = this;
    const isMade = this.#heads.get(lastBucketOf(seq))?.seq !== seq;
    return seq > 0 && isMade && [...this.#heads.values()].every(({ epoch }) => epoch === 0);
  }

  /** The heads that are to be written, by bucket: those that are missing, or say less than stands below them. */
  heads(): ReadonlyMap<number, Uint8Array> {
    const mended = new Map<number, Uint8Array>();
    const { seq } = this;
    const lastBucket = lastBucketOf(seq);
    let before = EMPTY_HEAD;
    for (let bucket = 0; seq > 0 && bucket <= lastBucket; bucket++) {
      const stored = this.#heads.get(bucket);
      const wanted = bucket < lastBucket ? (bucket + 1) * BUCKET_SIZE : seq;
      if (stored?.seq === wanted) {
        before = stored;
        continue;
      }
      const known = [before, stored ?? EMPTY_HEAD, this.#tops.get(bucket) ?? EMPTY_HEAD];
      const head = {
        seq: wanted,
        ordinal: Math.max(...known.map(({ ordinal }) => ordinal)),
        membersSeq: Math.max(...known.map(({ membersSeq }) => membersSeq)),
        // What is judged by the epoch is judged anew.
        epoch: Math.max(...known.map(({ epoch }) => epoch)) + 1,
      };
      mended.set(bucket, encodeHead(head));
      before = head;
    }
    return mended;
  }
}

function lastBucketOf(seq: number): number {
  return Math.floor((Math.max(seq, 1) - 1) / BUCKET_SIZE);
}
