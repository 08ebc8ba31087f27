import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { IDLE_FRAMES_PER_SECOND, OPEN_TIMEOUT_MS, SUBMIT_MS } from "../limits.ts";

/** The errors that end a stream, or refuse one (docs/errors.md). */

export function openTimeout(): HeddleError {
  const text = `no open came within ${OPEN_TIMEOUT_MS} ms`;
  const metadata = { limit_ms: String(OPEN_TIMEOUT_MS) };
  return new HeddleError(Code.DEADLINE_EXCEEDED, ErrorReason.OPEN_TIMEOUT, text, { metadata });
}

export function openExpected(): HeddleError {
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.OPEN_EXPECTED, "the first frame must be open");
}

export function alreadyOpen(): HeddleError {
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.ALREADY_OPEN, "the session is open already");
}

export function wrongSession(field: string): HeddleError {
  const text = `${field} is not what the ticket was issued for`;
  return new HeddleError(Code.PERMISSION_DENIED, ErrorReason.WRONG_SESSION, text, { metadata: { field } });
}

export function ticketExpired(): HeddleError {
  const text = "the ticket has expired; ask the gateway for another";
  return new HeddleError(Code.UNAUTHENTICATED, ErrorReason.TOKEN_EXPIRED, text);
}

export function ackBeyondSent(sent: number): HeddleError {
  const text = `ack names an event that was not sent; the last one sent is ${sent}`;
  const metadata = { sent: String(sent) };
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.ACK_BEYOND_SENT, text, { metadata });
}

export function tooManyFrames(): HeddleError {
  const limit = IDLE_FRAMES_PER_SECOND;
  const text = `more than ${limit} frames a second that advance nothing`;
  const metadata = { limit_per_second: String(limit) };
  return new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.TOO_MANY_FRAMES, text, {
    metadata,
    retryAfterMs: 1_000,
  });
}

/** `what`: "answers" wait unread, or the client was "silent". */
export function tooSlow(what: "answers" | "silent", text: string): HeddleError {
  return new HeddleError(Code.UNAVAILABLE, ErrorReason.CLIENT_TOO_SLOW, text, { metadata: { what } });
}

export function serverDraining(): HeddleError {
  const text = "this push server is shutting down; ask the gateway for another";
  return new HeddleError(Code.UNAVAILABLE, ErrorReason.DRAINING, text, { retryAfterMs: 100 });
}

/** The push server has not heard of the registry since it started. */
export function channelUnknown(): HeddleError {
  const text = "this push server does not know the channel instances yet; ask the gateway for another";
  const metadata = { service: "channel" };
  return new HeddleError(Code.UNAVAILABLE, ErrorReason.PEER_UNAVAILABLE, text, {
    metadata,
    retryAfterMs: 100,
  });
}

export function noSession(): HeddleError {
  const text = "this push server does not hold the session; open a new one";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.NO_SESSION, text);
}

export function submitDeadline(): HeddleError {
  const metadata = { limit_ms: String(SUBMIT_MS) };
  const text = "the frame had no outcome in time";
  return new HeddleError(Code.DEADLINE_EXCEEDED, ErrorReason.DEADLINE, text, { metadata });
}
