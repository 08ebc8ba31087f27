import { decodeCell, isOfSend } from "../cells/entry-cell.ts";
import type { LogStore } from "../cells/log-store.ts";
import { tagKey } from "../cells/send-tag.ts";
import type { PendingSend } from "./pending-sends.ts";
import { baseTooOld } from "./refusals.ts";
import type { ThreadLog } from "./thread-log.ts";

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
 * the n named in the check cannot be there when the check holds (docs/design.md, section 5, Duplicate search). It looks
 * also where its sender may not see: the seal of a send may stand where its sender was away from the group.
 */
export interface DuplicateSearch {
  /** Answers at once where the cache is enough. Throws BASE_TOO_OLD where it would have to read too far. */
  find(log: ThreadLog, send: PendingSend): Hit | undefined | Promise<Hit | undefined>;
}

/** How many rows an append reads for one send; beyond it the client seals through ResolveSend. */
const INLINE_BUCKETS = 4;

/** The duplicate search over cache and store. */
export class StoreSearch implements DuplicateSearch {
  readonly #store: LogStore;

  constructor(store: LogStore) {
    this.#store = store;
  }

  find(log: ThreadLog, send: PendingSend): Hit | undefined | Promise<Hit | undefined> {
    const { keys } = log.cache;
    const cached = keys.seqsOfTag(send.tagKey);
    if (cached.length === 0 && send.searchedSeq >= keys.from) return undefined;
    return this.#store.within(this.#look(log, send, cached));
  }

  async #look(log: ThreadLog, send: PendingSend, cached: readonly number[]): Promise<Hit | undefined> {
    const hit = await this.pick(log.threadId, send, cached);
    const to = log.cache.keys.from;
    if (hit || send.searchedSeq >= to) return hit;
    const from = send.searchedSeq + 1;
    if (this.#store.bucketOf(to) - this.#store.bucketOf(from) >= INLINE_BUCKETS)
      throw baseTooOld(log.cache.found?.head.seq ?? to);
    return this.range(log.threadId, send, from, to);
  }

  /** Looks through all entries with from ≤ seq ≤ to, the newest row first, keys only. */
  async range(threadId: Uint8Array, send: SendIdentity, from: number, to: number): Promise<Hit | undefined> {
    for (let high = to; high >= from; ) {
      const low = Math.max(from, this.#store.firstSeqOf(this.#store.bucketOf(high)));
      const keys = await this.#store.keys(threadId, low, high);
      const same = keys.filter(({ tag }) => tagKey(tag) === send.tagKey).map(({ seq }) => seq);
      const hit = await this.pick(threadId, send, same);
      if (hit) return hit;
      high = low - 1;
    }
    return undefined;
  }

  /** Of entries whose tag is the send's, the one that is the send: tags are short, so the cell decides. */
  async pick(threadId: Uint8Array, send: SendIdentity, seqs: readonly number[]): Promise<Hit | undefined> {
    for (const seq of seqs) {
      const value = await this.#store.cell(threadId, seq);
      if (isOfSend(decodeCell(value), send.userId, send.clientId)) return { seq, cell: value };
    }
    return undefined;
  }
}
