import type { Clock } from "../base/clock.ts";
import { encodeHead, type Head } from "../base/head.ts";
import { Code, ErrorReason, HeddleError, overloaded, storeUnavailable } from "../base/heddle-error.ts";
import { equalBytes } from "../base/ids.ts";
import type { Deadlines } from "../stream/deadlines.ts";
import { Batch, type BatchItem } from "./batch.ts";
import type { DuplicateSearch, Hit } from "./duplicate-search.ts";
import { decodeCell } from "./entry-cell.ts";
import type { Gate, StoredEntry } from "./gate.ts";
import { bucketOf, findHead } from "./head-finder.ts";
import { bytesOf, type PendingSend } from "./pending-sends.ts";
import type { MessageStore } from "./ports.ts";
import { baseBeyondHead, clientIdReused, sealed } from "./refusals.ts";
import type { ThreadLog } from "./thread-log.ts";
import type { Committed, Verdict } from "./verdict.ts";

/** Deadline of a call of the store, in ms; after it a check-and-put's outcome is unknown. */
const STORE_DEADLINE_MS = 4_000;
/** A batch is cut here, in bytes (docs/design.md, section 5). */
const BATCH_BYTES = 1 << 20;
/** Sends that wait: of one thread, and of all, in bytes. */
const THREAD_QUEUE_BYTES = 1 << 20;
const QUEUE_BYTES = 64 << 20;
/** Of entries that another server appended, how many are published; the gap before them tells of the rest. */
const PUBLISHED_FOUND = 64;

export interface AppenderPorts {
  readonly store: MessageStore;
  readonly search: DuplicateSearch;
  readonly gate: Pick<Gate, "cover" | "pass">;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Entries in a row; 512 but in tests. */
  readonly bucketSize: number;
}

/**
 * Appends to thread logs (docs/design.md, section 5). Per thread one round at a time:
 *
 * - **prepare**: where the cache was dropped, read the head; publish what another server appended above the one known.
 * - **judge**: take what waits, and look for each send in the log up to the head named in the check. A repeat passes
 *   the gate with the stored cell; what cannot be appended is refused; the rest is the batch.
 * - **commit**: touch whom no touch covers, then one check-and-put. False or no answer is unknown: drop the cache; on
 *   false go round again, where the search finds what was applied after all.
 * - **gate**: judge the touches, publish, answer.
 */
export class Appender {
  readonly #ports: AppenderPorts;
  #queuedBytes = 0;
  /** Sends that went back because of their base_seq: the head is read anew before they are judged again. */
  readonly #headReread = new WeakSet<PendingSend>();

  constructor(ports: AppenderPorts) {
    this.#ports = ports;
  }

  /** Sends that wait, of all threads, in bytes. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues a send of a member. It is settled once: at the latest a few seconds after it expires. */
  append(log: ThreadLog, send: PendingSend): void {
    if (log.pending.bytes > THREAD_QUEUE_BYTES || this.#queuedBytes > QUEUE_BYTES) {
      refuse(send, overloaded("append", 1000));
      return;
    }
    this.#queuedBytes += bytesOf(send);
    log.pending.push(send);
    if (!log.busy) void this.#run(log);
  }

  /** Passes an entry that was found in the store through the gate, as every answer that names a seq must. */
  async answerFound(log: ThreadLog, hit: Hit, originSession: string): Promise<Committed> {
    const { entry, committed } = found(log, hit, originSession);
    const [word] = await this.#ports.gate.pass(log, [entry]);
    return { ...committed, online: word?.subscribed ?? [] };
  }

  async #run(log: ThreadLog): Promise<void> {
    log.busy = true;
    while (log.pending.length > 0) await this.#round(log);
    log.busy = false;
  }

  async #round(log: ThreadLog): Promise<void> {
    for (const send of log.pending.takeExpired(this.#ports.clock.monotonicMs())) {
      this.#settle(send, storeUnavailable("message"));
    }
    const batch = new Batch(log.threadId);
    try {
      await this.#prepare(log);
      const { head, bucket } = log.found as NonNullable<ThreadLog["found"]>;
      const room = (bucket + 1) * this.#ports.bucketSize - head.seq;
      batch.taken = log.pending.take(room, BATCH_BYTES);
      await this.#judge(log, batch, head);
      if (batch.items.length > 0) await this.#commit(log, batch, head);
    } catch (error) {
      // What was tried may be in the log; what was not is tried no further now: the store or a port is away.
      log.drop();
      const reason = error instanceof HeddleError ? error : storeUnavailable("message", error);
      const failed =
        batch.taken.length > 0 ? batch.unsettled() : log.pending.take(Number.MAX_SAFE_INTEGER, QUEUE_BYTES);
      for (const send of failed) this.#settle(send, reason);
    }
  }

  async #prepare(log: ThreadLog): Promise<void> {
    if (log.found) return;
    const { store, bucketSize } = this.#ports;
    const at = await this.#inTime(findHead(store, log.threadId, log.hint, bucketSize));
    const known = log.publishedSeq;
    log.load(at);
    if (known >= 0 && at.head.seq > known) await this.#publishFound(log, known + 1, at.head.seq);
    log.publishedSeq = at.head.seq;
  }

  /** Publishes entries that stand above the head this server knew: nobody may have done so. */
  async #publishFound(log: ThreadLog, from: number, to: number): Promise<void> {
    const { store, bucketSize, gate } = this.#ports;
    for (let low = Math.max(from, to - PUBLISHED_FOUND + 1); low <= to; ) {
      const bucket = bucketOf(low, bucketSize);
      const high = Math.min(to, (bucket + 1) * bucketSize);
      const entries = { fromSeq: low, toSeq: high };
      const row = await this.#inTime(store.get({ threadId: log.threadId, bucket }, { entries }));
      await gate.pass(
        log,
        row.entries.map(({ seq, value }) => found(log, { seq, cell: value }, "").entry),
      );
      low = high + 1;
    }
  }

  async #judge(log: ThreadLog, batch: Batch, head: Head): Promise<void> {
    try {
      for (const send of batch.taken) {
        let hit: Hit | undefined;
        try {
          const searched = this.#ports.search.find(log, send);
          hit = searched instanceof Promise ? await this.#inTime(searched) : searched;
        } catch (error) {
          if (!(error instanceof HeddleError) || error.reason !== ErrorReason.BASE_TOO_OLD) throw error;
          this.#settle(send, error);
          batch.settled.add(send);
          continue;
        }
        if (hit) {
          const committed = await this.answerFound(log, hit, send.originSession);
          this.#settle(send, verdictFor(send, committed));
          batch.settled.add(send);
        } else if (send.baseSeq <= head.seq) batch.add(send);
        else this.#beyondHead(batch, send, head);
      }
    } finally {
      log.pending.putBack(batch.returned);
    }
    if (batch.returned.length > 0 && batch.items.length === 0) log.drop();
  }

  /**
   * Our head may be old, even one that was read while the send came: only a read that began after it may refuse. The
   * send waits for the next round, before which the head is dropped.
   */
  #beyondHead(batch: Batch, send: PendingSend, head: Head): void {
    batch.settled.add(send);
    if (this.#headReread.has(send)) {
      this.#settle(send, baseBeyondHead(head.seq));
      return;
    }
    this.#headReread.add(send);
    batch.returned.push(send);
  }

  async #commit(log: ThreadLog, batch: Batch, head: Head): Promise<void> {
    const { store, clock, gate, bucketSize } = this.#ports;
    await gate.cover(log);
    const { cells, next } = batch.build(head, clock.nowMs());
    for (const send of batch.unsettled()) send.tried = true;
    const { bucket, stored } = log.found as NonNullable<ThreadLog["found"]>;
    const bytes = encodeHead(next);
    const won = await this.#inTime(
      store.checkAndPut({ threadId: log.threadId, bucket }, stored, bytes, cells),
    );
    if (!won) {
      log.drop();
      log.pending.putBack(batch.unsettled());
      return;
    }
    log.advance(next, bytes, cells, bucketSize);
    await this.#answerBatch(log, batch);
    log.publishedSeq = next.seq;
    if (batch.returned.length > 0) log.drop();
  }

  async #answerBatch(log: ThreadLog, batch: Batch): Promise<void> {
    const words = await this.#ports.gate.pass(log, batch.items.map(storedEntry));
    batch.items.forEach((item, at) => {
      const committed: Committed = {
        threadId: log.threadId,
        seq: item.seq,
        createdAtMs: batch.createdAtMs,
        ordinal: item.ordinal,
        cell: item.cell,
        isVoid: item.send.kind === "void",
        duplicate: false,
        online: words[at]?.subscribed ?? [],
      };
      this.#settle(item.send, committed);
      for (const joined of item.joined)
        this.#settle(joined, verdictFor(joined, { ...committed, duplicate: true }));
    });
  }

  /** A call of the store: without an answer in time its outcome is unknown. */
  #inTime<T>(call: Promise<T>): Promise<T> {
    return this.#ports.deadlines.bound(call, STORE_DEADLINE_MS, () => storeUnavailable("message"));
  }

  #settle(send: PendingSend, verdict: Verdict): void {
    this.#queuedBytes -= bytesOf(send);
    if (verdict instanceof HeddleError) refuse(send, verdict);
    else send.settle(verdict);
  }
}

/** Settles with an error, saying `committed=never` where that is certain (docs/design.md, section 4, Outcomes). */
function refuse(send: PendingSend, error: HeddleError): void {
  const certain = send.attempt === 1 && !send.tried && error.code !== Code.UNAVAILABLE;
  send.settle(certain ? error.withCommittedNever() : error);
}

/** What to say to a send whose entry is in the log: what stands there decides, not what came with the send. */
function verdictFor(send: PendingSend, committed: Committed): Verdict {
  if (send.kind === "void") return committed;
  if (committed.isVoid) return sealed(committed.seq);
  const { payloadHash } = decodeCell(committed.cell);
  const same = payloadHash.length === 0 || equalBytes(payloadHash, send.body.hash);
  return same ? committed : clientIdReused(committed.seq);
}

function storedEntry(item: BatchItem): StoredEntry {
  const { seq, ordinal, cell, send } = item;
  return { seq, ordinal, cell, sender: send.userId, originSession: send.originSession };
}

/** A stored cell as what is told of it and what is answered. */
function found(
  log: ThreadLog,
  hit: Hit,
  originSession: string,
): { entry: StoredEntry; committed: Committed } {
  const cell = decodeCell(hit.cell);
  const ordinal = Number(cell.ordinal);
  return {
    entry: { seq: hit.seq, ordinal, sender: cell.sender, cell: hit.cell, originSession },
    committed: {
      threadId: log.threadId,
      seq: hit.seq,
      createdAtMs: Number(cell.createdAtMs),
      ordinal,
      cell: hit.cell,
      isVoid: cell.body?.kind.case === "void",
      duplicate: true,
      online: [],
    },
  };
}
