import { Code, ErrorReason, type HeddleError } from "../../internal/base/heddle-error.ts";
import { DrainingReason } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { ConnectionReason } from "../model/model.ts";
import type { SessionEnd } from "./session.ts";

/**
 * What to do when there is no session: how long to wait, what to fetch first, and what to tell the person. It is data,
 * so that every case can be tested without a connection.
 */
export interface Course {
  readonly reason: ConnectionReason;
  /** Do not come back: the person is signed out. Only what cannot pass by waiting sets it. */
  readonly isFinal: boolean;
  /** The user token is to be fetched anew first. */
  readonly isTokenStale: boolean;
  /**
   * The cursor is not one of this deployment's: begin without, which is a full sync. Kept, it would be refused for
   * ever.
   */
  readonly isCursorBad: boolean;
  /** What the server asked to wait, in ms, before the jitter is added; 0: nothing. */
  readonly askedMs: number;
}

/**
 * Why a session could not be had. Every code that is not named means: ask the gateway again. The reason goes before the
 * code, because one code stands for several reasons.
 */
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
    // The push server does not hold the session (it started again): nobody needs to hear of an error, a new one is
    // opened.
    case ErrorReason.NO_SESSION:
      return course("stream-ended");
  }
  switch (error.code) {
    // Not final by itself: Connection counts how many fresh tokens in a row were refused.
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

/**
 * Why a session is over. `draining`: what the server gave as its reason before, which says more than how the stream
 * then ended; undefined if it gave none.
 */
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
