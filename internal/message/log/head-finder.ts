import { decodeHead, EMPTY_HEAD, type Head } from "../../base/head.ts";
import type { LogStore } from "../cells/log-store.ts";

/** A head with what the next change of it must be checked against (docs/design.md, section 5). */
export interface FoundHead {
  readonly head: Head;
  /** The bucket of the row that holds seq head.seq + 1. */
  readonly bucket: number;
  /** `h:head` of that row as it was read: bytes, or undefined where the row is absent. */
  readonly stored: Uint8Array | undefined;
}

/** A head that our own append made, with its bytes, as the next change of it must be checked against. */
export function headAppended(store: LogStore, head: Head, bytes: Uint8Array): FoundHead {
  const bucket = store.bucketOf(head.seq + 1);
  // A bucket that we filled stays full; the next one was never there, and the check will prove it still is not.
  return { head, bucket, stored: bucket === store.bucketOf(head.seq) ? bytes : undefined };
}

/**
 * Reads a thread's head from the store, starting at a hint. Rows exist without a gap, so it steps 1, 2, 4 … rows up
 * while they are full, then bisects; if the hint's row is absent, the same downwards. A wrong hint costs time only.
 * A row that was full stays so and a row that was there stays there: the answer was the head at some moment of the call.
 */
export async function findHead(store: LogStore, threadId: Uint8Array, hint: number): Promise<FoundHead> {
  const isFull = (bytes: Uint8Array, bucket: number) => decodeHead(bytes).seq === store.lastSeqOf(bucket);

  const atHint = await store.head(threadId, hint);
  if (atHint && !isFull(atHint, hint)) return { head: decodeHead(atHint), bucket: hint, stored: atHint };

  // `full` is the highest row known to be full (-1: none), `limit` the lowest known not to be.
  let full = atHint ? hint : -1;
  let limit = atHint ? Number.POSITIVE_INFINITY : hint;
  let limitBytes: Uint8Array | undefined;
  let fullBytes = atHint;
  const look = async (bucket: number) => {
    const bytes = await store.head(threadId, bucket);
    if (bytes && isFull(bytes, bucket)) {
      full = bucket;
      fullBytes = bytes;
    } else {
      limit = bucket;
      limitBytes = bytes;
    }
  };
  if (atHint) for (let step = 1; limit === Number.POSITIVE_INFINITY; step *= 2) await look(full + step);
  else
    for (let step = 1; full < 0 && limit > 0 && !limitBytes; step *= 2) await look(Math.max(0, hint - step));
  // A row that is there and not full holds the head: no need to look further.
  while (!limitBytes && limit - full > 1) await look(full + Math.floor((limit - full) / 2));

  const head = limitBytes ? decodeHead(limitBytes) : fullBytes ? decodeHead(fullBytes) : EMPTY_HEAD;
  return { head, bucket: limit, stored: limitBytes };
}

/** Reads heads for anyone who compares or shows them: always from the store, never from the append cache. */
export class HeadReader {
  readonly #store: LogStore;
  readonly #running = new Map<string, Reading>();

  constructor(store: LogStore) {
    this.#store = store;
  }

  /** The head now, as `findHead`. */
  async readHead(key: string, threadId: Uint8Array, hint: number): Promise<Head> {
    return (await this.findHead(key, threadId, hint)).head;
  }

  /**
   * The head now, with what the next change of it is checked against. Concurrent readers of a thread share one read that
   * starts after they asked: a read already under way may miss what was committed before they asked, so they wait for
   * the next one.
   */
  findHead(key: string, threadId: Uint8Array, hint: number): Promise<FoundHead> {
    const running = this.#running.get(key);
    if (!running) return this.#start(key, threadId, hint);
    running.next ??= running.current.then(
      () => this.#start(key, threadId, hint),
      () => this.#start(key, threadId, hint),
    );
    return running.next;
  }

  #start(key: string, threadId: Uint8Array, hint: number): Promise<FoundHead> {
    const current = this.#store.within(findHead(this.#store, threadId, hint));
    const reading: Reading = { current, next: undefined };
    this.#running.set(key, reading);
    const done = () => {
      if (this.#running.get(key) === reading && !reading.next) this.#running.delete(key);
    };
    reading.current.then(done, done);
    return reading.current;
  }
}

interface Reading {
  readonly current: Promise<FoundHead>;
  /** The read that starts when the current one has ended, shared by all who asked meanwhile. */
  next: Promise<FoundHead> | undefined;
}
