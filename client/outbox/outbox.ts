import type { Clock } from "../../internal/base/clock.ts";
import {
  Code,
  ErrorReason,
  HeddleError,
  invalidField,
  overloaded,
} from "../../internal/base/heddle-error.ts";
import { hex, newUuid } from "../../internal/base/ids.ts";
import type { OutboxItem } from "../model/model.ts";
import type { Place } from "../model/place.ts";
import type { Change, Json, Storage } from "../storage/storage.ts";
import type { SendIdentity } from "../transport/wire.ts";
import { dropRecord, keepRecord, type OutboxRecord, recordFromJson, toItem } from "./outbox-record.ts";

/** Sends that may wait at a time, failed ones among them. */
const MOST_WAITING = 1_000;
const MOST_TEXT_BYTES = 32_768;

export interface OutboxDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  /** The base_seq of a send composed now. */
  readonly baseSeq: (threadId: string) => number;
  /** The log epoch that the base_seq is of. */
  readonly logEpoch: (threadId: string) => number;
  /** The other user of a direct thread. */
  readonly peer: (threadId: string) => string | undefined;
  /** A send changed; `place` once it is sent; `was` is its client_id before, if that has just changed. */
  readonly onChange: (item: OutboxItem, place?: Place, was?: string) => void;
  readonly onFault: (fault: unknown) => void;
}

/**
 * Every send whose outcome is not known yet, and failed ones until the person has seen them. It is on storage before
 * the first try, `attempt` is raised there before each, and it leaves only when it is surely in the log, or on the
 * person's word (docs/design.md, section 4). OutboxPump moves it along.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  /** By client_id, in order. */
  readonly #records = new Map<string, OutboxRecord>();
  /** Composed, and not on storage yet, or not yet with who tries them: nothing is done with them before. */
  readonly #composing = new Set<OutboxRecord>();
  /** Failed ones that are about to go: a write that says so is under way. */
  readonly #leaving = new Set<OutboxRecord>();
  #lastOrder = 0;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** Takes what an earlier run kept. What was under way then has an unknown outcome and is tried again. */
  load(kept: ReadonlyMap<string, Json>): void {
    const records = [...kept]
      .filter(([key]) => key.startsWith("outbox/"))
      .map(([, json]) => recordFromJson(json));
    for (const record of records.sort((a, b) => a.order - b.order)) {
      this.#records.set(record.identity.clientId, record);
      this.#lastOrder = record.order;
    }
  }

  /**
   * Keeps a new send, whose place is that of the call. `attempt` 1: it will be tried at once, so the first try is kept
   * with it. `instead`: a failed one that goes with the same write. Resolves once it is safe: `composed` gives it free.
   * Rejects, and forgets it, if it cannot be kept.
   */
  async compose(
    threadId: string,
    target: SendIdentity["target"],
    text: string,
    attempt: 0 | 1,
    instead?: OutboxRecord,
  ): Promise<OutboxRecord> {
    const bytes = new TextEncoder().encode(text).length;
    if (!text.isWellFormed()) throw invalidField("text", "Unicode, not half of a surrogate pair");
    if (bytes < 1 || bytes > MOST_TEXT_BYTES) {
      throw invalidField("text", `1–${MOST_TEXT_BYTES} bytes of UTF-8, not ${bytes}`);
    }
    // Two calls may have asked to send it again.
    if (instead) this.failedOne(instead.identity.clientId);
    else if (this.#records.size >= MOST_WAITING) throw overloaded("outbox", 1_000);
    const record = this.#newRecord(threadId, target, text, false, attempt, undefined);
    this.#records.set(record.identity.clientId, record);
    this.#composing.add(record);
    try {
      if (instead) await this.#leave(instead, [keepRecord(record)]);
      else await this.#write([keepRecord(record)], true);
    } catch (fault) {
      this.#records.delete(record.identity.clientId);
      this.#composing.delete(record);
      throw storageFailed(fault);
    }
    return record;
  }

  /** A record that `compose` gave is with the one who tries it. */
  composed(record: OutboxRecord): void {
    this.#composing.delete(record);
  }

  /** Whether a record is still on its way to storage, so that it must not be tried: it may yet be said not to be kept. */
  isComposing(record: OutboxRecord): boolean {
    return this.#composing.has(record);
  }

  /** A failed one that is not about to go. Throws INVALID_ARGUMENT where there is none. */
  failedOne(clientId: string): OutboxRecord {
    const record = this.#records.get(clientId);
    if (record?.phase === "failed" && !this.#leaving.has(record)) return record;
    throw invalidField("clientId", "no failed send has it");
  }

  get(clientId: string): OutboxRecord | undefined {
    return this.#records.get(clientId);
  }

  /** In the order they were composed. */
  records(): Iterable<OutboxRecord> {
    return this.#records.values();
  }

  items(): readonly OutboxItem[] {
    return [...this.#records.values()].map(toItem);
  }

  /** Raises the attempt, on storage first. Rejects if it cannot be kept: then it must not be tried. */
  async raiseAttempt(record: OutboxRecord): Promise<void> {
    record.attempt += 1;
    await this.#write([keepRecord(record)], true);
    this.#say(record);
  }

  /** The send is of this epoch too: what it was composed on is known to be there. Kept with its next attempt. */
  restamp(record: OutboxRecord, logEpoch: number): void {
    record.identity = { ...record.identity, logEpoch };
  }

  /** A direct thread may be gone with what the server lost: its sends name the other user, so that it is made again. */
  readdress(record: OutboxRecord): void {
    const to = this.#deps.peer(record.threadId);
    if (to !== undefined) record.identity = { ...record.identity, target: { to } };
  }

  /** It was never tried: it is composed again where the thread stands now. */
  recompose(record: OutboxRecord): void {
    const { threadId } = record;
    const [baseSeq, logEpoch] = [this.#deps.baseSeq(threadId), this.#deps.logEpoch(threadId)];
    record.identity = { ...record.identity, baseSeq, logEpoch };
  }

  /** Notes an error that settles nothing. */
  noteError(record: OutboxRecord, error: HeddleError): void {
    record.error = error;
    this.#say(record);
  }

  /** The outcome must be resolved with a seal; `refusal` if the text is not to go again after it. */
  check(record: OutboxRecord, error: HeddleError, refusal: HeddleError | undefined): void {
    record.phase = "checking";
    record.error = error;
    record.refusal = refusal;
    this.#keep(record);
    this.#say(record);
  }

  /** It is in the log. */
  sent(record: OutboxRecord, place: Place): void {
    this.#remove(record);
    const { seq, createdAtMs, recipientOffline } = place;
    const item = {
      ...toItem(record),
      error: undefined,
      seq,
      createdAtMs,
      recipientOffline,
      state: "sent",
    } as const;
    this.#deps.onChange(item, place);
  }

  /** It is surely not in the log, or nobody will know (LOG_DAMAGED). It stays for the person to see. */
  failed(record: OutboxRecord, error: HeddleError): void {
    record.phase = "failed";
    record.error = error;
    this.#keep(record);
    this.#say(record);
  }

  /**
   * It was sealed: the same text goes under a new client_id, in its place, if it has not done so before. One that was
   * sealed because the server was put back goes however often that happens.
   */
  async never(record: OutboxRecord): Promise<void> {
    const error = record.refusal ?? record.error;
    const isOfAnother = record.identity.logEpoch !== this.#deps.logEpoch(record.threadId);
    if (record.refusal || (record.isSecond && !isOfAnother)) {
      this.failed(record, error ?? new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.SEALED, "sealed"));
      return;
    }
    const next = this.#newRecord(
      record.threadId,
      record.identity.target,
      record.identity.text,
      record.isSecond || !isOfAnother,
      0,
      record,
    );
    await this.#write([dropRecord(record), keepRecord(next)], true);
    const records = [...this.#records.values()].map((each) => (each === record ? next : each));
    this.#records.clear();
    for (const each of records) this.#records.set(each.identity.clientId, each);
    this.#deps.onChange(toItem(next), undefined, record.identity.clientId);
  }

  /** Forgets a failed one, once storage has. Rejects if that cannot be written: then it stays. */
  async discard(record: OutboxRecord): Promise<void> {
    await this.#leave(record, []);
  }

  /** Drops a failed one with the same write as other changes, and forgets it when that is confirmed. */
  async #leave(record: OutboxRecord, more: readonly Change[]): Promise<void> {
    this.#leaving.add(record);
    try {
      await this.#write([dropRecord(record), ...more], true);
      this.#records.delete(record.identity.clientId);
    } finally {
      this.#leaving.delete(record);
    }
  }

  #newRecord(
    threadId: string,
    target: SendIdentity["target"],
    text: string,
    isSecond: boolean,
    attempt: number,
    inPlaceOf: OutboxRecord | undefined,
  ): OutboxRecord {
    const nowMs = this.#deps.clock.nowMs();
    if (!inPlaceOf) this.#lastOrder += 1;
    const [baseSeq, logEpoch] = [this.#deps.baseSeq(threadId), this.#deps.logEpoch(threadId)];
    return {
      identity: { clientId: hex(newUuid(nowMs)), target, baseSeq, logEpoch, text },
      threadId,
      composedAtMs: inPlaceOf?.composedAtMs ?? nowMs,
      order: inPlaceOf?.order ?? this.#lastOrder,
      isSecond,
      attempt,
      phase: "open",
      refusal: undefined,
      error: undefined,
    };
  }

  #say(record: OutboxRecord): void {
    if (this.#records.has(record.identity.clientId)) this.#deps.onChange(toItem(record));
  }

  #remove(record: OutboxRecord): void {
    this.#records.delete(record.identity.clientId);
    this.#write([dropRecord(record)], false).catch(this.#deps.onFault);
  }

  #keep(record: OutboxRecord): void {
    this.#write([keepRecord(record)], false).catch(this.#deps.onFault);
  }

  #write(changes: readonly Change[], durable: boolean): Promise<void> {
    return this.#deps.storage.write(changes, { durable });
  }
}

/** The device cannot keep what it must keep before it goes on. */
export function storageFailed(fault: unknown): HeddleError {
  return new HeddleError(
    Code.UNAVAILABLE,
    ErrorReason.STORE_UNAVAILABLE,
    "this device cannot keep the message now",
    { metadata: { store: "outbox" }, cause: fault },
  );
}
