import { HeddleError } from "../../internal/base/heddle-error.ts";
import type { OutboxItem, SendState } from "../model/model.ts";
import type { Change, Json } from "../storage/storage.ts";
import type { SendIdentity } from "../transport/wire.ts";

/** One send in the outbox. All but `identity` changes while it is under way. */
export interface OutboxRecord {
  /** Another one only in ways that leave it the same send: see OutboxPump. */
  identity: SendIdentity;
  readonly threadId: string;
  readonly composedAtMs: number;
  /** Its place in the outbox: sends of one thread go in this order. */
  readonly order: number;
  /** Its text went under another client_id before, which was sealed: not automatically done twice. */
  readonly isSecond: boolean;
  /** How often it was, or is about to be, tried: kept before each try. */
  attempt: number;
  /** open: to be tried. checking: to be sealed or found. failed: over, kept for the person to see. */
  phase: "open" | "checking" | "failed";
  /** Why checking: sealed for its age, the text goes again; after a refusal it does not. */
  refusal: HeddleError | undefined;
  /** The newest error, for the person to see. */
  error: HeddleError | undefined;
}

/** The key sorts by order. */
export function recordKey(record: OutboxRecord): string {
  return `outbox/${String(record.order).padStart(16, "0")}/${record.identity.clientId}`;
}

export function keepRecord(record: OutboxRecord): Change {
  return {
    key: recordKey(record),
    value: {
      ...record,
      identity: { ...record.identity, target: { ...record.identity.target } },
      refusal: errorToJson(record.refusal),
      error: errorToJson(record.error),
    },
  };
}

export function dropRecord(record: OutboxRecord): Change {
  return { key: recordKey(record), value: undefined };
}

export function recordFromJson(json: Json): OutboxRecord {
  const kept = json as unknown as OutboxRecord;
  const identity = { ...kept.identity, logEpoch: kept.identity.logEpoch ?? 0 }; // Earlier versions knew of none.
  return { ...kept, identity, refusal: errorFromJson(kept.refusal), error: errorFromJson(kept.error) };
}

/** What a person sees of it before it is sent. */
export function toItem(record: OutboxRecord): OutboxItem {
  return {
    clientId: record.identity.clientId,
    threadId: record.threadId,
    to: "to" in record.identity.target ? record.identity.target.to : undefined,
    text: record.identity.text,
    state: stateOf(record),
    composedAtMs: record.composedAtMs,
    baseSeq: record.identity.baseSeq,
    attempt: record.attempt,
    seq: undefined,
    createdAtMs: undefined,
    recipientOffline: undefined,
    error: record.error,
  };
}

function stateOf(record: OutboxRecord): SendState {
  if (record.phase !== "open") return record.phase;
  return record.attempt === 0 ? "queued" : "sending";
}

function errorToJson(error: HeddleError | undefined): Json {
  if (!error) return null;
  const { code, reason, message, metadata } = error;
  return { code, reason, message, metadata };
}

function errorFromJson(json: unknown): HeddleError | undefined {
  if (!json) return undefined;
  const { code, reason, message, metadata } = json as HeddleError;
  return new HeddleError(code, reason, message, { metadata });
}
