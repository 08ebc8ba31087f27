import { Code } from "../gen/google/rpc/code_pb.js";
import { ErrorReason } from "../gen/heddle/error/v1/reason_pb.js";

export { Code, ErrorReason };

/** Metadata key that, with the value `never`, says that a send is not in the log and cannot come there. */
export const COMMITTED = "committed";

export interface HeddleErrorInit {
  /** Keys as listed beside the reason in reason.proto. Never bodies or tokens: it goes to clients and logs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** When to try again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What went wrong below. For logs only. */
  readonly cause?: unknown;
}

/**
 * The one error class. Whatever else is thrown reaches a client as INTERNAL / FAULT with a request id.
 * Codes are those of google.rpc, reasons those of heddle.error.v1 (docs/errors.md).
 */
export class HeddleError extends Error {
  override readonly name = "HeddleError";
  readonly code: Code;
  readonly reason: ErrorReason;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number;

  constructor(code: Code, reason: ErrorReason, message: string, init: HeddleErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.reason = reason;
    this.metadata = init.metadata ?? {};
    this.retryAfterMs = init.retryAfterMs ?? 0;
  }

  /** The reason as it stands in ErrorInfo: the enum value's name without its prefix. */
  get reasonName(): string {
    return ErrorReason[this.reason].replace(/^ERROR_REASON_/, "");
  }

  /** Whether the error says that the send is not in the log and never will be (docs/design.md, section 4). */
  get committedNever(): boolean {
    return this.metadata[COMMITTED] === "never";
  }

  /** The same error, saying that the send is not committed. Only for a first attempt, or after a seal. */
  withCommittedNever(): HeddleError {
    return new HeddleError(this.code, this.reason, this.message, {
      metadata: { ...this.metadata, [COMMITTED]: "never" },
      retryAfterMs: this.retryAfterMs,
      cause: this.cause,
    });
  }

  /** The error as it is if it is one of ours, else INTERNAL / FAULT with the given request id and the cause. */
  static from(error: unknown, requestId: string): HeddleError {
    if (error instanceof HeddleError) return error;
    return new HeddleError(Code.INTERNAL, ErrorReason.FAULT, `internal error, request ${requestId}`, {
      metadata: { request_id: requestId },
      cause: error,
    });
  }
}

/** INVALID_ARGUMENT for one field. */
export function invalidField(field: string, rule: string): HeddleError {
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.INVALID_FIELD, `${field}: ${rule}`, {
    metadata: { field, rule },
  });
}

/** NOT_FOUND for a thread that does not exist or is not the caller's: one answer for both. */
export function threadNotFound(): HeddleError {
  return new HeddleError(Code.NOT_FOUND, ErrorReason.THREAD_NOT_FOUND, "no such thread");
}

/** UNAVAILABLE because a store cannot serve. What was being written may or may not be there. */
export function storeUnavailable(store: string, cause?: unknown): HeddleError {
  return new HeddleError(
    Code.UNAVAILABLE,
    ErrorReason.STORE_UNAVAILABLE,
    `the ${store} store cannot serve now`,
    {
      metadata: { store },
      retryAfterMs: 1000,
      cause,
    },
  );
}

/** UNAVAILABLE because the channel service has not taken an event. What it tells of may be stored. */
export function handOffFailed(): HeddleError {
  return new HeddleError(
    Code.UNAVAILABLE,
    ErrorReason.HAND_OFF_FAILED,
    "no channel instance took the event in time; the entry may be stored: retry",
    { retryAfterMs: 1000 },
  );
}

/** UNAVAILABLE / PEER_UNAVAILABLE: what was asked of the service may have been done, or may yet be. */
export function peerUnavailable(service: string, cause?: unknown): HeddleError {
  return new HeddleError(
    Code.UNAVAILABLE,
    ErrorReason.PEER_UNAVAILABLE,
    `the ${service} service did not answer; repeat the call`,
    { metadata: { service }, retryAfterMs: 1_000, cause },
  );
}

/** RESOURCE_EXHAUSTED because a bounded queue is full. */
export function overloaded(queue: string, retryAfterMs: number): HeddleError {
  return new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, `the ${queue} queue is full`, {
    metadata: { queue },
    retryAfterMs,
  });
}

/** PERMISSION_DENIED / DEVICE_REVOKED. */
export function deviceRevoked(): HeddleError {
  return new HeddleError(Code.PERMISSION_DENIED, ErrorReason.DEVICE_REVOKED, "this device was signed out");
}

/** INVALID_ARGUMENT: nobody has a direct thread with oneself. */
export function selfThread(): HeddleError {
  const text = "a direct thread needs two different users";
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.SELF_THREAD, text);
}

/** FAILED_PRECONDITION: the call is for groups alone. */
export function notAGroup(): HeddleError {
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.NOT_A_GROUP, "the thread is no group");
}

/** PERMISSION_DENIED because of a block between the caller and `user`: `by` the caller (`self`), or by the other. */
export function blocked(user: string, by: "self" | "other"): HeddleError {
  const text = "one of the two has blocked the other";
  return new HeddleError(Code.PERMISSION_DENIED, ErrorReason.BLOCKED, text, { metadata: { user, by } });
}

/** Whether a log cannot be read for good: no reason to keep other threads from a caller. */
export function isLogDamaged(error: unknown): error is HeddleError {
  return error instanceof HeddleError && error.reason === ErrorReason.LOG_DAMAGED;
}

/** Which entries a refusal says are lost; undefined where it says of none. */
export function lostSeqs(error: unknown): { readonly from: number; readonly to: number } | undefined {
  if (!isLogDamaged(error) || error.metadata.seq === undefined) return undefined;
  const from = Number(error.metadata.seq);
  const to = Math.max(from, Number(error.metadata.up_to ?? from));
  return Number.isSafeInteger(to) && from > 0 ? { from, to } : undefined;
}

/** DATA_LOSS: what must be in a log is not there, or not readable, and no repetition brings it. `seq` to `upTo` if it is known. */
export function logDamaged(seq?: number, cause?: unknown, upTo = seq): HeddleError {
  return new HeddleError(Code.DATA_LOSS, ErrorReason.LOG_DAMAGED, "the log of the thread is damaged", {
    metadata: seq === undefined ? {} : { seq: String(seq), up_to: String(upTo) },
    retryAfterMs: 60_000,
    cause,
  });
}
