import { storeUnavailable } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import { type EntryCellPut, type MessageStore, RECEIPTS_BUCKET, type VersionedCell } from "../ports.ts";

/**
 * The message store as this service calls it: by thread and seq, with the size of a bucket and a deadline bound once.
 * Every call rejects with STORE_UNAVAILABLE after the deadline; a write that was given up on may still be applied.
 */
export class LogStore {
  readonly #store: MessageStore;
  readonly #bucketSize: number;
  readonly #deadlines: Deadlines;
  readonly #deadlineMs: number;

  /** `bucketSize` is how many entries a row has: 512 but in tests. */
  constructor(store: MessageStore, bucketSize: number, deadlines: Deadlines, deadlineMs: number) {
    this.#store = store;
    this.#bucketSize = bucketSize;
    this.#deadlines = deadlines;
    this.#deadlineMs = deadlineMs;
  }

  /** The bucket of the row that an entry with this seq is in. */
  bucketOf(seq: number): number {
    return Math.floor((seq - 1) / this.#bucketSize);
  }

  /** The seq of the first entry of a bucket. */
  firstSeqOf(bucket: number): number {
    return bucket * this.#bucketSize + 1;
  }

  /** The seq of the last entry that a bucket has room for. */
  lastSeqOf(bucket: number): number {
    return (bucket + 1) * this.#bucketSize;
  }

  /** `h:head` of a row as it stands there; undefined where the row is absent. */
  async head(threadId: Uint8Array, bucket: number): Promise<Uint8Array | undefined> {
    return (await this.within(this.#store.get({ threadId, bucket }, { head: true }))).head;
  }

  /** The cells with fromSeq ≤ seq ≤ toSeq, in ascending order, row after row. */
  async entries(threadId: Uint8Array, fromSeq: number, toSeq: number): Promise<readonly EntryCellPut[]> {
    const cells: EntryCellPut[] = [];
    for (let low = fromSeq; low <= toSeq; ) {
      const bucket = this.bucketOf(low);
      const high = Math.min(toSeq, this.lastSeqOf(bucket));
      const query = { entries: { fromSeq: low, toSeq: high } };
      cells.push(...(await this.within(this.#store.get({ threadId, bucket }, query))).entries);
      low = high + 1;
    }
    return cells;
  }

  /** The same of one row, with empty values: what their qualifiers say. */
  async keys(threadId: Uint8Array, fromSeq: number, toSeq: number): Promise<readonly EntryCellPut[]> {
    const row = { threadId, bucket: this.bucketOf(fromSeq) };
    const query = { entries: { fromSeq, toSeq, keysOnly: true } };
    return (await this.within(this.#store.get(row, query))).entries;
  }

  /** The cell of one entry; undefined if it is not in the log. */
  async cell(threadId: Uint8Array, seq: number): Promise<Uint8Array | undefined> {
    return (await this.entries(threadId, seq, seq))[0]?.value;
  }

  /** MessageStore.checkAndPut on the row of a bucket. False, or no answer, leaves it unknown whether it was applied. */
  append(
    threadId: Uint8Array,
    bucket: number,
    expected: Uint8Array | undefined,
    head: Uint8Array,
    cells: readonly EntryCellPut[],
  ): Promise<boolean> {
    return this.within(this.#store.checkAndPut({ threadId, bucket }, expected, head, cells));
  }

  /** The receipts of a thread. */
  async receipts(threadId: Uint8Array): Promise<readonly VersionedCell[]> {
    const row = { threadId, bucket: RECEIPTS_BUCKET };
    return (await this.within(this.#store.get(row, { family: "r" }))).cells;
  }

  putReceipts(threadId: Uint8Array, cells: readonly VersionedCell[]): Promise<void> {
    return this.within(this.#store.put({ threadId, bucket: RECEIPTS_BUCKET }, "r", cells));
  }

  /** Gives an operation of several calls the time of one. */
  within<T>(operation: Promise<T>): Promise<T> {
    return this.#deadlines.bound(operation, this.#deadlineMs, () => storeUnavailable("message"));
  }
}
