import { Code, ErrorReason, type HeddleError } from "../../internal/base/heddle-error.ts";
import { DrainingReason } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { ConnectionReason } from "../model/model.ts";
import type { SessionEnd } from "./session.ts";

/** What to do when there is no session. */
export interface Course {
  readonly reason: ConnectionReason;
  /** Do not come back. */
  readonly isFinal: boolean;
  /** The user token is to be fetched anew first. */
  readonly isTokenStale: boolean;
  /** The cursor is not one of this deployment's: begin without. */
  readonly isCursorBad: boolean;
  /** What the server asked to wait, in milliseconds. */
  readonly askedMs: number;
}

/** Why a session could not be had. Every code that is not named means: ask the gateway again. */
export function courseOfError(error: HeddleError): Course {
  const course = (kind: ConnectionReason["kind"], more: Partial<Course> = {}): Course => ({
    reason: { kind, error },
    isFinal: false,
    isTokenStale: false,
    isCursorBad: false,
    askedMs: error.retryAfterMs,
    ...more,
  });
  switch (error.reason) {
    case ErrorReason.DEVICE_REVOKED:
      return course("device-revoked", { isFinal: true });
    case ErrorReason.TOKEN_EXPIRED:
      return course("token-expired", { isTokenStale: true });
    case ErrorReason.TOKEN_MALFORMED:
      return course("refused", { isCursorBad: error.metadata.field === "cursor" });
    case ErrorReason.NO_SESSION:
      return course("stream-ended");
  }
  switch (error.code) {
    case Code.UNAUTHENTICATED:
      return course("not-signed-in", { isTokenStale: true });
    case Code.UNKNOWN:
    case Code.CANCELLED:
    case Code.DEADLINE_EXCEEDED:
    case Code.ABORTED:
    case Code.INTERNAL:
    case Code.UNAVAILABLE:
      return course("server-away");
    default:
      return course("refused");
  }
}

/** Why a session is over. */
export function courseOfEnd(end: SessionEnd, draining: DrainingReason | undefined): Course {
  const course = end.error
    ? courseOfError(end.error)
    : plain({ kind: end.kind === "no-answer" ? "no-answer" : "stream-ended" });
  if (draining === DrainingReason.DEVICE_REVOKED) {
    return { ...plain({ kind: "device-revoked" }), isFinal: true };
  }
  if (draining === DrainingReason.TOKEN_EXPIRED) {
    return { ...plain({ kind: "token-expired" }), isTokenStale: true };
  }
  if (end.kind === "no-answer" && end.error)
    return { ...course, reason: { kind: "no-answer", error: end.error } };
  return draining === undefined ? course : { ...course, reason: { ...course.reason, kind: "moving" } };
}

function plain(reason: ConnectionReason): Course {
  return { reason, isFinal: false, isTokenStale: false, isCursorBad: false, askedMs: 0 };
}
