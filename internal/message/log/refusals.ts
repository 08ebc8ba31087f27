import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";

/** Why a send is not appended (docs/errors.md). Whether `committed=never` is said beside it is the appender's to know. */

/** The send was sealed: final, whichever attempt it answers. `seq` is left out to one who may not see it. */
export function sealed(seq?: number): HeddleError {
  const metadata = seq === undefined ? {} : { seq: String(seq) };
  const text = "the send was sealed: it will never commit";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.SEALED, text, {
    metadata,
  }).withCommittedNever();
}

export function clientIdReused(seq: number): HeddleError {
  const metadata = { seq: String(seq) };
  const text = "this client_id was used for another payload";
  return new HeddleError(Code.ALREADY_EXISTS, ErrorReason.CLIENT_ID_REUSED, text, { metadata });
}

export function baseBeyondHead(headSeq: number): HeddleError {
  const metadata = { head_seq: String(headSeq) };
  const text = "base_seq is above the thread's head";
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.BASE_BEYOND_HEAD, text, { metadata });
}

/** `headSeq` is left out to one who may not see the head. */
export function baseTooOld(headSeq?: number): HeddleError {
  const metadata = headSeq === undefined ? {} : { head_seq: String(headSeq) };
  const text = "base_seq is too far below the head: seal the send through ResolveSend, then send anew";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.BASE_TOO_OLD, text, { metadata });
}

/** `logEpoch` is the one in force. */
export function otherLogEpoch(logEpoch: number): HeddleError {
  const metadata = { log_epoch: String(logEpoch) };
  const text =
    "the send was composed under another log_epoch: compare what is held of the thread, then seal it";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.OTHER_LOG_EPOCH, text, { metadata });
}

/** One who may not send in the thread has sealed as much there as one may. */
export function tooManySeals(limit: number): HeddleError {
  const metadata = { limit: String(limit) };
  const text = "you may not send in this thread, and have sealed as many sends there as one may";
  return new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.TOO_MANY_SEALS, text, { metadata });
}
