import { Code, ErrorReason, HeddleError } from "../../internal/base/heddle-error.ts";

/**
 * What an answer other than `accepted` says of a send (docs/design.md, section 4, Outcomes).
 * failed: it is surely not in the log, and a repeat would be refused again; or where it would be in the log, that is
 *   lost (LOG_DAMAGED), and nobody will ever know (`told`).
 * again: unknown, or known but passing: repeat it under the same client_id.
 * seal: a repeat will not tell: ask ResolveSend, with seal, which answers committed or never.
 */
export type Verdict = "failed" | "again" | "seal";

/** Codes that a repeat of the same bytes meets again. */
const LASTING: ReadonlySet<Code> = new Set([
  Code.INVALID_ARGUMENT,
  Code.NOT_FOUND,
  Code.PERMISSION_DENIED,
  Code.FAILED_PRECONDITION,
  Code.OUT_OF_RANGE,
  Code.UNIMPLEMENTED,
]);

/** Refusals that are about the stream and not about the send: the next stream will take it. */
const PASSING: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.UNSPECIFIED,
  ErrorReason.NO_SESSION,
  ErrorReason.OPEN_EXPECTED,
  ErrorReason.WRONG_SESSION,
  ErrorReason.DEVICE_REVOKED,
  // About the history that it was composed in: the pump makes it one of the present one, or seals it.
  ErrorReason.OTHER_LOG_EPOCH,
]);

/**
 * Judges the refusal of a try. `attempt` is the number of the newest try: `committed=never` answers a first try only,
 * so when a second is under way it may speak of the first and settles nothing. A status without our ErrorInfo is
 * always unknown.
 */
export function judge(error: HeddleError, attempt: number): Verdict {
  if (error.reason === ErrorReason.CLIENT_ID_REUSED || isLost(error)) return "failed";
  if (isAboutAge(error)) return "seal";
  const isLasting = LASTING.has(error.code) || error.reason === ErrorReason.FRAME_TOO_LARGE;
  if (!isLasting || PASSING.has(error.reason)) return "again";
  return error.committedNever && attempt === 1 ? "failed" : "seal";
}

/** Whether the part of the log is lost that would tell what became of a send: neither a repeat nor a seal will. */
export function isLost(error: HeddleError): boolean {
  return error.reason === ErrorReason.LOG_DAMAGED;
}

/** A refusal in words for the person who has to decide what to do with the text. */
export function told(error: HeddleError, attempt: number): HeddleError {
  if (!isLost(error) || (error.committedNever && attempt === 1)) return error;
  const text = "it may have been sent: the part of the history that would tell is lost on the server";
  return new HeddleError(error.code, error.reason, text, { metadata: error.metadata });
}

/** Whether the server has nothing against the text: under a new client_id it may go. */
export function isAboutAge(error: HeddleError): boolean {
  return error.reason === ErrorReason.BASE_TOO_OLD || error.reason === ErrorReason.SEALED;
}
