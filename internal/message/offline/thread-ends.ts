import { decodeHead, HEAD_BYTES } from "../../base/head.ts";
import { hex } from "../../base/ids.ts";
import { RECEIPTS_BUCKET, type Row, type RowKey } from "../ports.ts";

/** A thread of which the rows know that it had entries. */
export interface KnownThread {
  readonly threadId: Uint8Array;
  /** The log went at least up to here; 0: it had entries, the rows do not say how many. */
  readonly seq: number;
}

/** A thread whose log ends before what the rows know of it. */
export interface CutThread {
  /** In hex. */
  readonly thread: string;
  /** The last seq that the log has; 0: nothing of it is left. */
  readonly end: number;
  /** See KnownThread.seq. */
  readonly knownSeq: number;
}

/**
 * Where the logs of threads end, to compare with what the rows know of them: of a log whose newest entries are lost, or
 * all, nothing in the log says so. Keeps a number for each thread, so it is for programs that look once and end.
 */
export class ThreadEnds {
  readonly #ends = new Map<string, number>();

  /** Takes the next row of the log. */
  addRow({ threadId, bucket }: RowKey, { head, entries }: Row): void {
    if (bucket === RECEIPTS_BUCKET) return;
    const thread = hex(threadId);
    const headSeq = head?.length === HEAD_BYTES ? decodeHead(head).seq : 0;
    const end = Math.max(headSeq, entries.at(-1)?.seq ?? 0, this.#ends.get(thread) ?? 0);
    if (end > 0) this.#ends.set(thread, end);
  }

  /** Which of these threads have lost their end, or all. After the last row. */
  *cutOf(known: Iterable<KnownThread>): Generator<CutThread> {
    for (const { threadId, seq } of known) {
      const thread = hex(threadId);
      const end = this.#ends.get(thread) ?? 0;
      if (end === 0 || end < seq) yield { thread, end, knownSeq: seq };
    }
  }
}
