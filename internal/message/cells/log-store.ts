import { HEAD_BYTES } from "../../base/head.ts";
import { isLogDamaged, logDamaged, storeUnavailable } from "../../base/heddle-error.ts";
import type { Deadlines } from "../../stream/deadlines.ts";
import {
  type EntryCellPut,
  type LogDamage,
  type MessageStore,
  RECEIPTS_BUCKET,
  type Row,
  type RowKey,
  type RowQuery,
  type VersionedCell,
} from "../ports.ts";
import { cellsOfUser } from "./receipt-cell.ts";
import { sealsOfUser } from "./seal-cell.ts";
import { isSound } from "./sound-cell.ts";

const HEAD: RowQuery = { head: true };
const PROVED_HEAD: RowQuery = { head: true, isProved: true };

/**
 * The message store as this service calls it: by thread and seq, with the size of a bucket and a deadline bound once.
 * Every call rejects with STORE_UNAVAILABLE after the deadline; a write that was given up on may still be applied.
 * Entries are read up to a head, so all of them must be there, and be what was appended: where one is not, the read
 * rejects with LOG_DAMAGED, and no reader has to look for holes, or to guess what they mean.
 */
export class LogStore {
  readonly #store: MessageStore;
  readonly #bucketSize: number;
  readonly #deadlines: Deadlines;
  readonly #deadlineMs: number;
  readonly #damage: LogDamage | undefined;
  #isProving = false;

  /** `bucketSize` is how many entries a row has: 512 but in tests. `damage` is told of each read that finds some. */
  constructor(
    store: MessageStore,
    bucketSize: number,
    deadlines: Deadlines,
    deadlineMs: number,
    damage?: LogDamage,
  ) {
    this.#store = store;
    this.#bucketSize = bucketSize;
    this.#deadlines = deadlines;
    this.#deadlineMs = deadlineMs;
    this.#damage = damage;
  }

  /** The same, for what nothing else proves: its heads are of the present also where servers may answer from the past. */
  proving(): LogStore {
    const other = new LogStore(
      this.#store,
      this.#bucketSize,
      this.#deadlines,
      this.#deadlineMs,
      this.#damage,
    );
    other.#isProving = true;
    return other;
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

  /** `h:head` of a row as it stands there; undefined where the row is absent. Rejects with LOG_DAMAGED if it is none. */
  async head(threadId: Uint8Array, bucket: number): Promise<Uint8Array | undefined> {
    const { head } = await this.#get({ threadId, bucket }, this.#isProving ? PROVED_HEAD : HEAD);
    if (!head || head.length === HEAD_BYTES) return head;
    this.#damage?.(threadId, undefined);
    throw logDamaged();
  }

  /** The cells with fromSeq ≤ seq ≤ toSeq, which is not above the head: all of them, in ascending order. */
  async entries(threadId: Uint8Array, fromSeq: number, toSeq: number): Promise<readonly EntryCellPut[]> {
    const cells: EntryCellPut[] = [];
    for (let low = fromSeq; low <= toSeq; ) {
      const bucket = this.bucketOf(low);
      const high = Math.min(toSeq, this.lastSeqOf(bucket));
      const query = { entries: { fromSeq: low, toSeq: high } };
      const row = await this.#get({ threadId, bucket }, query);
      cells.push(...this.#sound(threadId, this.#whole(threadId, low, high, row.entries)));
      low = high + 1;
    }
    return cells;
  }

  /** The same of one row, with empty values: what their qualifiers say. */
  async keys(threadId: Uint8Array, fromSeq: number, toSeq: number): Promise<readonly EntryCellPut[]> {
    const row = { threadId, bucket: this.bucketOf(fromSeq) };
    const query = { entries: { fromSeq, toSeq, keysOnly: true } };
    return this.#whole(threadId, fromSeq, toSeq, (await this.#get(row, query)).entries);
  }

  /** The cell of one entry, which is not above the head. */
  async cell(threadId: Uint8Array, seq: number): Promise<Uint8Array> {
    const [cell] = await this.entries(threadId, seq, seq);
    if (!cell) throw new RangeError(`${seq} is no seq`);
    return cell.value;
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
    return (await this.#get(row, { family: "r" })).cells;
  }

  /** Those of one user. */
  async receiptsOf(threadId: Uint8Array, userId: string): Promise<readonly VersionedCell[]> {
    const row = { threadId, bucket: RECEIPTS_BUCKET };
    return (await this.#get(row, { family: "r", prefix: cellsOfUser(userId) })).cells;
  }

  putReceipts(threadId: Uint8Array, cells: readonly VersionedCell[]): Promise<void> {
    return this.within(this.#store.put({ threadId, bucket: RECEIPTS_BUCKET }, "r", cells));
  }

  /** What a user has sealed in a thread in which it may not send (seal-cell.ts). */
  async sealsOf(threadId: Uint8Array, userId: string): Promise<readonly VersionedCell[]> {
    const row = { threadId, bucket: RECEIPTS_BUCKET };
    return (await this.#get(row, { family: "x", prefix: sealsOfUser(userId) })).cells;
  }

  putSeal(threadId: Uint8Array, cell: VersionedCell): Promise<void> {
    return this.within(this.#store.put({ threadId, bucket: RECEIPTS_BUCKET }, "x", [cell]));
  }

  /** Gives an operation of several calls the time of one. */
  within<T>(operation: Promise<T>): Promise<T> {
    return this.#deadlines.bound(operation, this.#deadlineMs, () => storeUnavailable("message"));
  }

  async #get(row: RowKey, query: RowQuery): Promise<Row> {
    try {
      return await this.within(this.#store.get(row, query));
    } catch (error) {
      if (isLogDamaged(error)) this.#damage?.(row.threadId, undefined);
      throw error;
    }
  }

  /** The cells as they are if they are one for each seq. Throws LOG_DAMAGED with the first seq that has none, or two. */
  #whole(
    threadId: Uint8Array,
    fromSeq: number,
    toSeq: number,
    cells: readonly EntryCellPut[],
  ): readonly EntryCellPut[] {
    let seq = fromSeq;
    for (const cell of cells) if (cell.seq === seq) seq += 1;
    if (seq > toSeq && cells.length === seq - fromSeq) return cells;
    this.#damage?.(threadId, seq);
    const next = cells.find((cell) => cell.seq > seq)?.seq ?? toSeq + 1;
    throw logDamaged(seq, undefined, next - 1);
  }

  /** The cells as they are if each is still what was appended. Throws LOG_DAMAGED with the first seq that is not. */
  #sound(threadId: Uint8Array, cells: readonly EntryCellPut[]): readonly EntryCellPut[] {
    const bad = cells.find((cell) => !isSound(cell));
    if (!bad) return cells;
    this.#damage?.(threadId, bad.seq);
    throw logDamaged(bad.seq);
  }
}
