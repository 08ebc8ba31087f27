import { BUCKET_SIZE, decodeHead, EMPTY_HEAD, type Head } from "../../base/head.ts";
import { equalBytes } from "../../base/ids.ts";
import { decodeCell, encodeBody } from "../cells/entry-cell.ts";
import { isTagged } from "../cells/send-tag.ts";
import { previousOf } from "../group/member-entry.ts";
import type { EntryCellPut, Row, RowKey } from "../ports.ts";
import { RECEIPTS_BUCKET } from "../ports.ts";

/** Problems that are named of one thread: more say nothing new. */
const MAX_PROBLEMS = 5;

/**
 * Checks the log of one thread, whose rows are given in order, the receipts last: seqs and ordinals without a hole, heads
 * that say what stands below them, entries that are what their keys and hashes say.
 */
export class ThreadCheck {
  /** In a few words each; at most five. */
  readonly problems: string[] = [];
  #bucket = 0;
  #head: Head = EMPTY_HEAD;
  /** What the entries so far come to. */
  #seq = 0;
  #ordinal = 0;
  #membersSeq = 0;

  /** The head of the last row so far. */
  get head(): Head {
    return this.#head;
  }

  addRow(key: RowKey, row: Row): void {
    if (key.bucket === RECEIPTS_BUCKET) return;
    if (key.bucket !== this.#bucket) this.#problem(`bucket ${this.#bucket} is missing`);
    for (const cell of row.entries) this.#entry(cell);
    this.#bucket = key.bucket + 1;
    this.#checkHead(key.bucket, row.head);
  }

  #entry(cell: EntryCellPut): void {
    const { seq } = cell;
    if (seq <= this.#seq) this.#problem(`seq ${seq} is there twice`);
    else if (seq > this.#seq + 1) this.#problem(`seq ${this.#seq + 1} to ${seq - 1} are missing`);
    this.#seq = Math.max(this.#seq, seq);
    try {
      this.#content(cell);
    } catch {
      this.#problem(`seq ${seq} is not readable`);
    }
  }

  #content({ seq, tag, value }: EntryCellPut): void {
    const { sender, clientId, ordinal, payloadHash, body } = decodeCell(value);
    if (!isTagged({ sender, clientId, hash: payloadHash }, tag))
      this.#problem(`seq ${seq} has another sender than its key`);
    const isText = body?.kind.case === "text";
    if (isText && payloadHash.length > 0 && !equalBytes(encodeBody(body).hash, payloadHash)) {
      this.#problem(`seq ${seq} has another text than its hash`);
    }
    const expected = this.#ordinal + (isText ? 1 : 0);
    if (Number(ordinal) !== expected) this.#problem(`seq ${seq} has ordinal ${ordinal}, not ${expected}`);
    this.#ordinal = Number(ordinal);
    const previous = previousOf(body);
    if (previous === undefined) return;
    if (previous !== this.#membersSeq) this.#problem(`seq ${seq} names ${previous}, not ${this.#membersSeq}`);
    this.#membersSeq = seq;
  }

  #checkHead(bucket: number, bytes: Uint8Array | undefined): void {
    if (bytes?.length !== 32) {
      this.#problem(`bucket ${bucket} has no head`);
      return;
    }
    const head = decodeHead(bytes);
    if (head.seq > this.#seq) this.#problem(`seq ${this.#seq + 1} to ${head.seq} are missing`);
    if (head.seq < this.#seq) this.#problem(`seq ${head.seq + 1} to ${this.#seq} stand above the head`);
    if (head.seq === this.#seq && (head.ordinal !== this.#ordinal || head.membersSeq !== this.#membersSeq)) {
      this.#problem(`the head of bucket ${bucket} says other than the entries below it`);
    }
    if (bucket < this.#bucket - 1 || head.seq > (bucket + 1) * BUCKET_SIZE) {
      this.#problem(`the head of bucket ${bucket} is of another bucket`);
    }
    // From here on by what the head says, so that one hole is told of once.
    this.#seq = Math.max(head.seq, this.#seq);
    this.#ordinal = head.ordinal;
    this.#membersSeq = head.membersSeq;
    this.#head = head;
  }

  #problem(text: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(text);
  }
}
