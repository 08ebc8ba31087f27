import type { Clock } from "../../base/clock.ts";
import { encodeHead, type Head } from "../../base/head.ts";
import { Code, ErrorReason, HeddleError, overloaded, storeUnavailable } from "../../base/heddle-error.ts";
import type { LogStore } from "../cells/log-store.ts";
import type { Judging } from "../group/judging.ts";
import type { View } from "../group/membership.ts";
import { MAX_HEAD_READS } from "../limits.ts";
import type { ThreadOwners } from "../thread-owners.ts";
import { Batch } from "./batch.ts";
import { Doubts } from "./doubts.ts";
import { type DuplicateSearch, type Hit, StoreSearch } from "./duplicate-search.ts";
import type { Gate } from "./gate.ts";
import { type FoundHead, findHead, HeadReader, headAppended } from "./head-finder.ts";
import { bytesOf, type PendingSend } from "./pending-sends.ts";
import { EpochRaiser } from "./raise.ts";
import { baseBeyondHead, baseTooOld } from "./refusals.ts";
import { appendedEntry, foundEntry, type Marks, verdictFor } from "./stored-entry.ts";
import type { ThreadLog } from "./thread-log.ts";
import type { Committed, Verdict } from "./verdict.ts";

/** A batch is cut here, in bytes (docs/design.md, section 5). */
const BATCH_BYTES = 1 << 20;
/** Sends that wait: of one thread, and of all, in bytes. */
const THREAD_QUEUE_BYTES = 1 << 20;
const QUEUE_BYTES = 64 << 20;
/** Of entries that another server appended, how many are published; the gap before them tells of the rest. */
const PUBLISHED_FOUND = 64;

export interface AppenderPorts {
  readonly store: LogStore;
  readonly search: DuplicateSearch;
  readonly gate: Pick<Gate, "cover" | "pass">;
  readonly judging: Judging;
  readonly clock: Clock;
  readonly owners: ThreadOwners;
}

/** The head and the view as of it, by which one round judges. */
interface Round extends FoundHead {
  readonly view: View;
}

/**
 * Appends to thread logs (docs/design.md, section 5). Per thread one round at a time:
 *
 * - **prepare**: where the cache was dropped, read the head, and after it what sends are judged by; publish what another
 *   server appended above the one known.
 * - **judge**: take what waits, and look for each send in the log up to the head named in the check. A repeat passes
 *   the gate with the stored cell; what cannot be appended is refused; the rest is the batch. A refusal that depends on
 *   the state of the thread stands only on a head that was read after the send came (doubts.ts).
 * - **commit**: touch the members that no touch covers, then one check-and-put. False or no answer is unknown: drop the cache; on
 *   false go round again, where the search finds what was applied after all.
 * - **gate**: judge the touches, publish, answer.
 */
export class Appender {
  readonly #ports: AppenderPorts;
  #queuedBytes = 0;
  readonly #raiser: EpochRaiser;
  readonly #cells: StoreSearch;
  readonly #doubts: Doubts;

  constructor(ports: AppenderPorts) {
    this.#ports = ports;
    this.#raiser = new EpochRaiser(ports);
    this.#cells = new StoreSearch(ports.store);
    this.#doubts = new Doubts(new HeadReader(ports.store.proving()), ports.clock, ports.owners);
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
    log.pending.pushSend(send);
    this.#wake(log);
  }

  /**
   * Raises the epoch of the thread's head, in order with this server's own appends. Resolves when it is certain that it
   * was raised after this call; rejects with STORE_UNAVAILABLE where that is unknown.
   */
  raiseEpoch(log: ThreadLog): Promise<void> {
    const { raise, outcome } = this.#raiser.pending();
    log.raises.push(raise);
    this.#wake(log);
    return outcome;
  }

  /** Passes an entry that was found in the store through the gate, as every answer that names a seq must. */
  async answerFound(log: ThreadLog, hit: Hit, originSession: string): Promise<Committed> {
    const { entry, committed } = foundEntry(log, hit, originSession);
    const [word] = await this.#ports.gate.pass(log, [entry]);
    return { ...committed, online: word?.subscribed ?? [] };
  }

  #wake(log: ThreadLog): void {
    if (!log.busy) void this.#run(log);
  }

  async #run(log: ThreadLog): Promise<void> {
    log.busy = true;
    while (log.pending.length + log.raises.length > 0) {
      if (log.raises.length > 0) await this.#raiser.raiseAll(log, log.raises.splice(0));
      if (log.pending.length > 0) await this.#round(log);
    }
    log.busy = false;
    if (!this.#ports.owners.owns(log.key)) log.cache.forget();
  }

  async #round(log: ThreadLog): Promise<void> {
    for (const send of log.pending.takeExpired(this.#ports.clock.monotonicMs())) {
      this.#settle(send, storeUnavailable("message"));
    }
    const batch = new Batch(log.threadId);
    try {
      // Always a turn later: what is sent in one turn goes as one batch.
      const round = await (this.#known(log) ?? this.#prepare(log));
      const room = this.#ports.store.lastSeqOf(round.bucket) - round.head.seq;
      batch.taken = log.pending.takeSends(room, BATCH_BYTES);
      await this.#judge(log, batch, round);
      if (batch.newer) {
        log.cache.loadHead(batch.newer);
        log.pending.putBack(batch.unsettled());
      } else if (batch.items.length > 0) await this.#commit(log, batch, round);
    } catch (error) {
      // What was tried may be in the log; what was not is tried no further now: the store or a port is away.
      log.cache.drop();
      const reason = error instanceof HeddleError ? error : storeUnavailable("message", error);
      const failed =
        batch.taken.length > 0
          ? batch.unsettled()
          : log.pending.takeSends(Number.MAX_SAFE_INTEGER, QUEUE_BYTES);
      for (const send of failed) this.#settle(send, reason);
    }
  }

  /** What the next round is judged by, if all of it is remembered and nothing waits to be published. */
  #known(log: ThreadLog): Round | undefined {
    const { found, publishedSeq } = log.cache;
    if (!found || found.head.seq !== publishedSeq) return undefined;
    const view = this.#ports.judging.known(log.membership, found.head);
    return view && { ...found, view };
  }

  async #prepare(log: ThreadLog): Promise<Round> {
    const { store, judging, clock } = this.#ports;
    const { cache, membership } = log;
    for (let read = 0; read < MAX_HEAD_READS; read++) {
      const askedAtMs = clock.monotonicMs();
      const found = cache.found ?? (await store.within(findHead(store, log.threadId, cache.hint)));
      const isRead = found !== cache.found;
      if (isRead) cache.loadHead(found);
      const { head } = found;
      const view = judging.known(membership, head) ?? (await judging.at(membership, head));
      if (view) {
        const known = cache.publishedSeq;
        if (known >= 0 && head.seq > known) await this.#publishFound(log, known + 1, head.seq);
        cache.published(head.seq);
        if (isRead) membership.proved(head, askedAtMs);
        return { ...found, view };
      }
      log.cache.drop();
    }
    throw storeUnavailable("thread");
  }

  /** Publishes entries that stand above the head this server knew: nobody may have done so. */
  async #publishFound(log: ThreadLog, from: number, to: number): Promise<void> {
    const { store, gate } = this.#ports;
    const newest = Math.max(from, to - PUBLISHED_FOUND + 1);
    const entries = await store.within(store.entries(log.threadId, newest, to));
    const found = entries.map(({ seq, value }) => foundEntry(log, { seq, cell: value }, "").entry);
    await gate.pass(log, found);
  }

  async #judge(log: ThreadLog, batch: Batch, round: Round): Promise<void> {
    try {
      for (const send of batch.taken) {
        let hit: Hit | undefined;
        try {
          const searched = this.#ports.search.find(log, send);
          hit = searched instanceof Promise ? await searched : searched;
        } catch (error) {
          if (!(error instanceof HeddleError) || error.reason !== ErrorReason.BASE_TOO_OLD) throw error;
          const seesHead = !this.#ports.judging.refusal(log.membership, round.view, send);
          this.#settle(send, seesHead ? error : baseTooOld());
          batch.settled.add(send);
          continue;
        }
        if (hit) await this.#answerRepeat(log, batch, send, hit, round.view);
        else if (send.change) await this.#judgeChange(log, batch, send, round);
        else {
          const refusal = this.#refusal(log, send, round);
          if (refusal) this.#doubt(batch, send, refusal, round.head);
          else batch.add(send);
        }
      }
    } finally {
      const unpaid = this.#doubts.prove(log, batch.doubted, () => this.#wake(log));
      for (const send of unpaid) this.#settle(send, overloaded("refusal", 1000));
    }
  }

  async #answerRepeat(log: ThreadLog, batch: Batch, send: PendingSend, hit: Hit, view: View): Promise<void> {
    const committed = await this.answerFound(log, hit, send.originSession);
    const isOut = log.isGroup && !view.roster.members.has(send.userId);
    this.#settle(send, verdictFor(send, committed, isOut));
    batch.settled.add(send);
  }

  #refusal(log: ThreadLog, send: PendingSend, { head, view }: Round): HeddleError | undefined {
    const refusal = this.#ports.judging.refusal(log.membership, view, send);
    if (refusal) return refusal; // First: one who may not send is not told where the head is.
    return send.baseSeq > head.seq ? baseBeyondHead(head.seq) : undefined;
  }

  /** A change of a group. What the cache does not know of an earlier try, the projection does. */
  async #judgeChange(log: ThreadLog, batch: Batch, send: PendingSend, { head, view }: Round): Promise<void> {
    const { judging } = this.#ports;
    const change = send.change as NonNullable<PendingSend["change"]>;
    const earlier = await judging.earlier(log.threadId, send.userId, send.clientId);
    if (earlier !== undefined) {
      // An entry above our head has members of its own to be touched: it is answered at a head that has it.
      const seqs = earlier <= head.seq ? [earlier] : [];
      const hit = await this.#cells.pick(log.threadId, send, seqs);
      if (hit) await this.#answerRepeat(log, batch, send, hit, view);
      else this.#doubt(batch, send, storeUnavailable("thread"), head);
      return;
    }
    try {
      const draft = await judging.draft(log.threadId, view, send.userId, change.wanted);
      if (draft) batch.add(send, draft);
      else this.#doubt(batch, send, "unchanged", head);
    } catch (error) {
      if (!(error instanceof HeddleError) || error.code === Code.UNAVAILABLE) throw error;
      this.#doubt(batch, send, error, head);
    }
  }

  /** What depends on the state of the thread is not answered at once: the head in use may be old. */
  #doubt(batch: Batch, send: PendingSend, refusal: HeddleError | "unchanged", head: Head): void {
    const answer = this.#doubts.answer(send, head);
    if (answer !== "stands" && answer !== "doubted" && !(answer instanceof HeddleError)) {
      if (!batch.newer || batch.newer.head.seq <= answer.head.seq) batch.newer = answer;
      return;
    }
    batch.settled.add(send);
    if (answer === "doubted") batch.doubted.push(send);
    else if (answer !== "stands") this.#settle(send, answer);
    else if (refusal !== "unchanged") this.#settle(send, refusal);
    else {
      this.#queuedBytes -= bytesOf(send);
      send.change?.unchanged();
    }
  }

  async #commit(log: ThreadLog, batch: Batch, { head, bucket, stored }: Round): Promise<void> {
    const { store, clock, gate } = this.#ports;
    // A void touches no row: it is nothing that a person could miss.
    if (batch.items.some(({ send }) => send.kind !== "void")) await gate.cover(log);
    const { cells, next } = batch.build(head, clock.nowMs());
    for (const send of batch.unsettled()) send.tried = true;
    const bytes = encodeHead(next);
    const sentAtMs = clock.monotonicMs();
    if (!(await store.append(log.threadId, bucket, stored, bytes, cells))) {
      log.cache.drop();
      log.pending.putBack(batch.unsettled());
      return;
    }
    log.membership.proved(head, sentAtMs);
    log.cache.advance(headAppended(store, next, bytes), cells);
    const marks = log.isGroup ? { membersSeq: head.membersSeq, sentAtMs } : undefined;
    await this.#answerBatch(log, batch, marks);
    log.cache.published(next.seq);
  }

  async #answerBatch(log: ThreadLog, batch: Batch, marks: Marks | undefined): Promise<void> {
    const entries = batch.items.map((item) => appendedEntry(item, marks));
    const words = await this.#ports.gate.pass(log, entries);
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
        this.#settle(joined, verdictFor(joined, { ...committed, duplicate: true }, false));
    });
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
