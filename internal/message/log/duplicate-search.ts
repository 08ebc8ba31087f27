import { equalBytes } from "../../base/ids.ts";
import { decodeCell } from "../cells/entry-cell.ts";
import type { MessageStore } from "../ports.ts";
import { bucketOf } from "./head-finder.ts";
import type { PendingSend } from "./pending-sends.ts";
import { baseTooOld } from "./refusals.ts";
import { type ThreadLog, tagKey } from "./thread-log.ts";

/** An entry of the log with the same sender and client_id as a send. */
export interface Hit {
  readonly seq: number;
  /** The stored cell. */
  readonly cell: Uint8Array;
}

/** What names a send in a thread, for all time. */
export type SendIdentity = Pick<PendingSend, "userId" | "clientId" | "tagKey">;

/**
 * Looks for a send in a thread's log, when the batch is built and not when it is queued: what it does not find up to
 * the n named in the check cannot be there when the check holds (docs/design.md, section 5, Duplicate search).
 */
export interface DuplicateSearch {
  /** Answers at once where the cache is enough. Throws BASE_TOO_OLD where it would have to read too far. */
  find(log: ThreadLog, send: PendingSend): Hit | undefined | Promise<Hit | undefined>;
}

/** How many rows an append reads for one send; beyond it the client seals through ResolveSend. */
const INLINE_BUCKETS = 4;

/** The duplicate search over cache and store. */
export class StoreSearch implements DuplicateSearch {
  readonly #store: MessageStore;
  readonly #bucketSize: number;

  constructor(store: MessageStore, bucketSize: number) {
    this.#store = store;
    this.#bucketSize = bucketSize;
  }

  find(log: ThreadLog, send: PendingSend): Hit | undefined | Promise<Hit | undefined> {
    const cached = log.keys.find(send.tagKey);
    if (cached.length === 0 && send.searchedSeq >= log.keys.from) return undefined;
    return this.#look(log, send, cached);
  }

  async #look(log: ThreadLog, send: PendingSend, cached: readonly number[]): Promise<Hit | undefined> {
    const hit = await this.pick(log.threadId, send, cached);
    if (hit || send.searchedSeq >= log.keys.from) return hit;
    const from = send.searchedSeq + 1;
    const to = log.keys.from;
    if (bucketOf(to, this.#bucketSize) - bucketOf(from, this.#bucketSize) >= INLINE_BUCKETS) {
      throw baseTooOld(log.found?.head.seq ?? to);
    }
    return this.range(log.threadId, send, from, to);
  }

  /** Looks through all entries with from ≤ seq ≤ to, the newest row first, keys only. */
  async range(threadId: Uint8Array, send: SendIdentity, from: number, to: number): Promise<Hit | undefined> {
    for (let high = to; high >= from; ) {
      const bucket = bucketOf(high, this.#bucketSize);
      const low = Math.max(from, bucket * this.#bucketSize + 1);
      const entries = { fromSeq: low, toSeq: high, keysOnly: true };
      const row = await this.#store.get({ threadId, bucket }, { entries });
      const same = row.entries.filter((cell) => tagKey(cell.tag) === send.tagKey).map((cell) => cell.seq);
      const hit = await this.pick(threadId, send, same);
      if (hit) return hit;
      high = low - 1;
    }
    return undefined;
  }

  /** Of entries whose tag is the send's, the one that is the send: tags are short, so the cell decides. */
  async pick(threadId: Uint8Array, send: SendIdentity, seqs: readonly number[]): Promise<Hit | undefined> {
    for (const seq of seqs) {
      const row = { threadId, bucket: bucketOf(seq, this.#bucketSize) };
      const { entries } = await this.#store.get(row, { entries: { fromSeq: seq, toSeq: seq } });
      const value = entries[0]?.value;
      if (!value) continue;
      const cell = decodeCell(value);
      if (cell.sender === send.userId && equalBytes(cell.clientId, send.clientId))
        return { seq, cell: value };
    }
    return undefined;
  }
}
