import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../internal/base/clock.ts";
import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";
import { fromHex } from "../../internal/base/ids.ts";
import { MessageService } from "../../internal/gen/heddle/message/v1/message_service_pb.js";
import { ClientFrameSchema } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Entry } from "../model/model.ts";
import type { Place } from "../model/place.ts";
import { Backoff } from "../stream/backoff.ts";
import type { Calls } from "../stream/calls.ts";
import type { Session } from "../stream/session.ts";
import { asError, fromRefused, toSendRequest, toTarget, unreachable } from "../transport/wire.ts";
import { type Outbox, storageFailed } from "./outbox.ts";
import type { OutboxRecord } from "./outbox-record.ts";
import { isAboutAge, isLost, judge, told } from "./send-verdict.ts";

/** Sends under way at a time, each of another thread. */
const MOST_UNDER_WAY = 32;
/** An answer that has not come by then will not: the server's own deadline of an append is 10 s. */
const ANSWER_MS = 15_000;
/** Each time a send was not answered for so long, in ms, the server is asked whether it is there. */
const OVERDUE_MS = 4_000;
/** After an answer the same send is not hastened sooner than this, in ms, nor sooner than the server asks for. */
const SOONEST_MS = 1_000;

export interface OutboxPumpDeps {
  readonly outbox: Outbox;
  readonly calls: Pick<Calls, "call">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly history: Epochs;
}

/** Which history of the logs the server has, as far as this device knows (client/log/history.ts). */
export interface Epochs {
  /** 0 before a server told one. */
  readonly logEpoch: number;
  /** Whether what is held of a thread was compared under it. */
  isProved(threadId: string): boolean;
  /** Compares a thread now; `proved` of the pump follows, or the thread is dropped. */
  want(threadId: string): void;
  told(logEpoch: number): void;
}

/** What a send is said on. */
export type Voice = Pick<Session, "say" | "settle" | "answerIsOverdue">;

/** What is going on with a record that is being moved along. */
interface Run {
  readonly backoff: Backoff;
  /** A try, a write or a resolve is under way. */
  isBusy: boolean;
  /** The attempt on storage was not said yet: the next try needs no higher one. */
  isPrepared: boolean;
  /** The server does not even resolve it: it lets the later sends of its thread pass. */
  isStuck: boolean;
  notBeforeMs: number;
  /** However much it is hastened, it is not tried before that. */
  soonestMs: number;
  /** Which stream it was said on, while its answer is awaited. */
  session: Voice | undefined;
  cancel: () => void;
}

/**
 * Moves sends along: one of a thread at a time, in order, the next when the outcome of the one before is known, so
 * that no repeat can overtake. Threads go side by side. Every outcome that is not certain is repeated under the same
 * client_id, or resolved; nothing is guessed (docs/design.md, section 4, Outcomes).
 */
export class OutboxPump {
  readonly #deps: OutboxPumpDeps;
  readonly #runs = new Map<string, Run>();
  #session: Voice | undefined;

  constructor(deps: OutboxPumpDeps) {
    this.#deps = deps;
  }

  /** Tells of the newest open session, or that there is none. */
  setSession(session: Voice | undefined): void {
    this.#session = session;
    this.pump();
  }

  /** A session is over: what it did not answer is unknown, and is repeated on the next. */
  sessionEnded(session: Voice): void {
    if (this.#session === session) this.#session = undefined;
    for (const [clientId, run] of this.#runs) {
      const record = this.#deps.outbox.get(clientId);
      if (run.session === session && record) this.#unknown(record, undefined);
    }
    this.pump();
  }

  /** Whether a send composed now would be tried at once. */
  canTry(threadId: string): boolean {
    if (!this.#session || this.#underWay() >= MOST_UNDER_WAY) return false;
    if (!this.#deps.history.isProved(threadId)) return false;
    return ![...this.#deps.outbox.records()].some(
      (record) => record.threadId === threadId && record.phase !== "failed",
    );
  }

  /** Takes a record that was composed, with its first attempt kept if it has one. */
  begin(record: OutboxRecord): void {
    this.#deps.outbox.composed(record);
    this.#run(record).isPrepared = record.attempt === 1;
    this.#hasten(({ threadId }) => threadId === record.threadId); // It waits for those before it.
    this.pump();
  }

  /** Starts whatever may go now. */
  pump(): void {
    const session = this.#session;
    if (!session) return;
    const taken = new Set<string>();
    for (const record of [...this.#deps.outbox.records()]) {
      if (record.phase === "failed" || taken.has(record.threadId)) continue;
      if (this.#deps.outbox.isComposing(record)) {
        taken.add(record.threadId); // Later ones of its thread are not safe either, or wait for their turn.
        continue;
      }
      const run = this.#run(record);
      if (!run.isStuck) taken.add(record.threadId);
      if (run.isBusy || run.notBeforeMs > this.#deps.clock.monotonicMs()) continue;
      if (this.#underWay() >= MOST_UNDER_WAY) return;
      if (!this.#isOfNow(record)) continue;
      run.isBusy = true;
      void (record.phase === "checking" ? this.#resolve(record, run) : this.#try(record, run, session));
    }
  }

  /** What is held of a thread was compared: sends composed on it under that epoch are of the present one too. */
  proved(threadId: string, from: number): void {
    const { outbox, history } = this.#deps;
    for (const record of outbox.records()) {
      if (record.threadId === threadId && record.phase === "open" && record.identity.logEpoch === from)
        outbox.restamp(record, history.logEpoch);
    }
    this.pump();
  }

  /** Every send has failed, whatever became of it; or those of one thread. */
  failAll(error: HeddleError, threadId?: string): void {
    for (const record of [...this.#deps.outbox.records()]) {
      if (threadId !== undefined && record.threadId !== threadId) continue;
      this.#end(record.identity.clientId);
      this.#deps.outbox.readdress(record);
      if (record.phase !== "failed") this.#deps.outbox.failed(record, error);
    }
  }

  /** An answer of the server names a send's place. */
  accepted(clientId: string, place: Place): void {
    const record = this.#deps.outbox.get(clientId);
    if (!record) return;
    this.#end(clientId);
    this.#deps.outbox.sent(record, place);
    this.#hasten(() => true); // The server takes sends again.
    this.pump();
  }

  /** The base_seq of a send whose outcome is not known. */
  baseSeqOf(clientId: string): number | undefined {
    return this.#deps.outbox.get(clientId)?.identity.baseSeq;
  }

  /** A live entry of the user's own: the gate was passed. Never called for pulled history. */
  seen(entry: Entry): void {
    const { threadId, seq, createdAtMs } = entry;
    this.accepted(entry.clientId, { threadId, seq, createdAtMs, recipientOffline: undefined });
  }

  /** An answer of the server refuses a send. */
  refused(clientId: string, error: HeddleError): void {
    const record = this.#deps.outbox.get(clientId);
    if (record?.phase !== "open") return;
    if (error.reason === ErrorReason.OTHER_LOG_EPOCH) {
      this.#deps.history.told(Number(error.metadata.log_epoch ?? 0));
    }
    switch (judge(error, record.attempt)) {
      case "failed":
        this.#fail(record, error);
        break;
      case "again":
        this.#unknown(record, error);
        break;
      case "seal":
        this.#end(clientId);
        this.#deps.outbox.check(record, error, isAboutAge(error) ? undefined : error);
    }
    this.pump();
  }

  /** Forgets timers. */
  close(): void {
    this.#session = undefined;
    for (const run of this.#runs.values()) run.cancel();
  }

  /**
   * Makes a send one of the log epoch of now, or says that it must wait. A base_seq means something in the history that
   * it was composed in, so the thread is compared first. What it was composed on is there: it is the same send still
   * (`proved`). It is not: a send that was never tried is composed again; one that knew of nothing, base_seq 0, is
   * looked for in the whole log by every try; of any other the outcome is not known, and it is sealed.
   */
  #isOfNow(record: OutboxRecord): boolean {
    const { outbox, history } = this.#deps;
    const { identity, threadId, phase } = record;
    if (history.logEpoch === 0 || identity.logEpoch === history.logEpoch || phase !== "open") return true;
    if (!history.isProved(threadId)) {
      history.want(threadId);
      return false;
    }
    outbox.readdress(record);
    if (identity.baseSeq === 0) outbox.restamp(record, history.logEpoch);
    else if (record.attempt === 0) outbox.recompose(record);
    else outbox.check(record, putBack(), undefined);
    return true;
  }

  async #try(record: OutboxRecord, run: Run, session: Voice): Promise<void> {
    try {
      if (!run.isPrepared) await this.#deps.outbox.raiseAttempt(record);
      run.isPrepared = true;
    } catch (fault) {
      this.#again(record, run, storageFailed(fault), false);
      return;
    }
    if (this.#session !== session || record.phase !== "open" || !this.#isCurrent(record)) {
      run.isBusy = false;
      this.pump();
      return;
    }
    run.isPrepared = false;
    run.session = session;
    this.#awaitAnswer(record, run, session, ANSWER_MS);
    const frame = create(ClientFrameSchema, {
      kind: { case: "send", value: toSendRequest(record.identity, record.attempt) },
    });
    try {
      const outcome = await session.say(frame);
      if (outcome?.kind.case === "accepted") session.settle(outcome.kind);
      else if (outcome?.kind.case === "refused") {
        this.refused(record.identity.clientId, fromRefused(outcome.kind.value));
      }
    } catch (thrown) {
      if (run.session === session) this.#unknown(record, asError(thrown));
    }
  }

  /** A server that does not answer a send may stand still: its stream is given up long before the send is. */
  #awaitAnswer(record: OutboxRecord, run: Run, session: Voice, leftMs: number): void {
    run.cancel = this.#deps.clock.after(Math.min(OVERDUE_MS, leftMs), () => {
      if (leftMs > OVERDUE_MS) {
        this.#awaitAnswer(record, run, session, leftMs - OVERDUE_MS);
        session.answerIsOverdue(OVERDUE_MS);
        return;
      }
      const error = new HeddleError(Code.DEADLINE_EXCEEDED, ErrorReason.UNSPECIFIED, "no answer came");
      this.#unknown(record, error);
    });
  }

  async #resolve(record: OutboxRecord, run: Run): Promise<void> {
    const { clientId, target, logEpoch } = record.identity;
    const { history } = this.#deps;
    const isOfNow = history.logEpoch === 0 || logEpoch === history.logEpoch;
    const baseSeq = isOfNow ? record.identity.baseSeq : 0; // Of another history: the whole log is searched.
    try {
      const { outcome } = await this.#deps.calls.call(MessageService.method.resolveSend, {
        target: toTarget(target),
        clientId: fromHex(clientId),
        baseSeq: BigInt(baseSeq),
        seal: true,
      });
      if (!this.#isCurrent(record) || record.phase !== "checking") return;
      if (outcome.case === "committed") {
        const { seq, createdAtMs } = outcome.value;
        this.accepted(clientId, {
          threadId: record.threadId,
          seq: Number(seq),
          createdAtMs: Number(createdAtMs),
          recipientOffline: undefined,
        });
      } else if (outcome.case === "never") {
        await this.#deps.outbox.never(record);
        this.#end(clientId);
        this.pump();
      } else this.#again(record, run, unreachable("the outcome is not known yet"), false);
    } catch (thrown) {
      const error = asError(thrown);
      if (isLost(error) && this.#isCurrent(record)) {
        this.#fail(record, error);
        this.pump();
        return;
      }
      const isLasting = error.code === Code.NOT_FOUND || error.code === Code.INVALID_ARGUMENT;
      this.#again(record, run, error, isLasting);
    }
  }

  /** It is over, and a person decides what becomes of the text. */
  #fail(record: OutboxRecord, error: HeddleError): void {
    this.#end(record.identity.clientId);
    this.#deps.outbox.failed(record, told(error, record.attempt));
  }

  /** The outcome of the try is unknown. Without an error the stream ended: the next stream takes it at once. */
  #unknown(record: OutboxRecord, error: HeddleError | undefined): void {
    const run = this.#run(record);
    if (error) this.#again(record, run, error, false);
    else {
      run.cancel();
      run.session = undefined;
      run.isBusy = false;
    }
  }

  #again(record: OutboxRecord, run: Run, error: HeddleError, isStuck: boolean): void {
    if (!this.#isCurrent(record)) return;
    run.cancel();
    run.session = undefined;
    run.isBusy = false;
    run.isStuck = isStuck;
    const { retryAfterMs } = error;
    run.soonestMs = this.#deps.clock.monotonicMs() + Math.max(retryAfterMs, SOONEST_MS);
    this.#rest(run, run.backoff.nextDelayMs(retryAfterMs));
    this.#deps.outbox.noteError(record, error);
    this.pump();
  }

  /** Lets sends that wait for their next try, which may be 30 s, go as soon as the server allows. */
  #hasten(isMeant: (record: OutboxRecord) => boolean): void {
    for (const record of this.#deps.outbox.records()) {
      const run = this.#runs.get(record.identity.clientId);
      if (!run || run.isBusy || run.isStuck || run.notBeforeMs <= run.soonestMs) continue;
      if (isMeant(record)) this.#rest(run, run.soonestMs - this.#deps.clock.monotonicMs());
    }
  }

  /** Lets so many ms pass before the next try. */
  #rest(run: Run, waitMs: number): void {
    run.cancel();
    run.notBeforeMs = this.#deps.clock.monotonicMs() + waitMs;
    run.cancel = this.#deps.clock.after(Math.max(0, waitMs), () => {
      run.notBeforeMs = 0; // The timer's word counts: by the clock it may be a moment early, and it fires only once.
      this.pump();
    });
  }

  #isCurrent(record: OutboxRecord): boolean {
    return this.#deps.outbox.get(record.identity.clientId) === record;
  }

  #run(record: OutboxRecord): Run {
    const known = this.#runs.get(record.identity.clientId);
    if (known) return known;
    const run: Run = {
      backoff: new Backoff(this.#deps.random),
      isBusy: false,
      isPrepared: false,
      isStuck: false,
      notBeforeMs: 0,
      soonestMs: 0,
      session: undefined,
      cancel: () => {},
    };
    this.#runs.set(record.identity.clientId, run);
    return run;
  }

  #end(clientId: string): void {
    this.#runs.get(clientId)?.cancel();
    this.#runs.delete(clientId);
  }

  #underWay(): number {
    let busy = 0;
    for (const run of this.#runs.values()) if (run.isBusy) busy += 1;
    return busy;
  }
}

/** Why a send is looked for that the server has not refused. */
function putBack(): HeddleError {
  const text = "the server was put back to an earlier state since this was composed";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.OTHER_LOG_EPOCH, text);
}
