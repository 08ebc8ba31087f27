import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HeddleError } from "../../base/heddle-error.ts";
import { type History, NO_HISTORY } from "../../base/history.ts";
import { fromHex } from "../../base/ids.ts";
import type { ShownPresence } from "../../base/presence.ts";
import type { Accepted } from "../../base/send.ts";
import { PresenceStatus } from "../../gen/heddle/presence/v1/presence_pb.js";
import type { AcceptedSchema, DrainingReason, RefusedSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { eventFrame } from "../../wire/event-frames.ts";

/** The events that a push server itself makes, each a frame of its own; `accepted` is in wire/event-frames.ts. */

/** The domain of every ErrorInfo of ours. */
const ERROR_DOMAIN = "heddle";

/** A sentence of an error is cut there, so that pending refusals stay small. In UTF-16 units. */
const SENTENCE_LENGTH = 200;

export function openedFrame(
  sessionId: Uint8Array,
  userId: string,
  pingIntervalMs: number,
  { deploymentId, logEpoch }: History = NO_HISTORY,
): Uint8Array {
  const value = { sessionId, userId, pingIntervalMs, deploymentId, logEpoch: BigInt(logEpoch) };
  return eventFrame({ case: "opened", value });
}

/** What `accepted` says, for SubmitResponse. */
export function acceptedInit(accepted: Accepted): MessageInitShape<typeof AcceptedSchema> {
  const { clientId, threadId, seq, createdAtMs, duplicate, recipientOffline } = accepted;
  const said = { clientId, threadId, seq: BigInt(seq), createdAtMs: BigInt(createdAtMs), duplicate };
  return recipientOffline === undefined ? said : { ...said, recipientOffline };
}

/** The frame that was refused, as far as it has names. */
export interface RefusedFrame {
  /** Of a send; empty for other frames. */
  readonly clientId: Uint8Array;
  /** Empty if the frame named none. */
  readonly threadId: Uint8Array;
  /** Its number on its stream, `open` is 1; 0 in the answer to a Submit. */
  readonly frame: number;
}

/** What `refused` says, for the event and for SubmitResponse. */
export function refusedInit(of: RefusedFrame, error: HeddleError): MessageInitShape<typeof RefusedSchema> {
  return {
    clientId: of.clientId,
    threadId: of.threadId,
    frame: BigInt(of.frame),
    code: error.code,
    message: error.message.slice(0, SENTENCE_LENGTH).toWellFormed(),
    errorInfo: { reason: error.reasonName, domain: ERROR_DOMAIN, metadata: { ...error.metadata } },
    retryAfterMs: Math.max(0, Math.round(error.retryAfterMs)),
  };
}

export function refusedFrame(of: RefusedFrame, error: HeddleError): Uint8Array {
  return eventFrame({ case: "refused", value: refusedInit(of, error) });
}

/** `thread` in hex. The entries up to `seq` exist. */
export function behindFrame(thread: string, seq: number, ordinal: number): Uint8Array {
  const head = { seq: BigInt(seq), ordinal: BigInt(ordinal) };
  return eventFrame({ case: "behind", value: { threadId: fromHex(thread), head } });
}

export const BEHIND_ALL_FRAME = eventFrame({ case: "behindAll", value: {} });

export function caughtUpFrame(cursor: Uint8Array): Uint8Array {
  return eventFrame({ case: "caughtUp", value: { cursor } });
}

export function drainingFrame(reason: DrainingReason, afterMs: number, jitterMs: number): Uint8Array {
  return eventFrame({
    case: "draining",
    value: { reason, afterMs: Math.round(afterMs), jitterMs: Math.round(jitterMs) },
  });
}

/** A user who may not be seen any more is not known any more. */
const STATUSES = {
  unknown: PresenceStatus.UNKNOWN,
  hidden: PresenceStatus.UNKNOWN,
  online: PresenceStatus.ONLINE,
  offline: PresenceStatus.OFFLINE,
} as const;

/** At most PRESENCE_FRAME_BYTES. */
export function presenceFrame(userId: string, { status, lastSeenAtMs }: ShownPresence): Uint8Array {
  const value = { userId, status: STATUSES[status], lastSeenAtMs: BigInt(lastSeenAtMs) };
  return eventFrame({ case: "presence", value });
}

export const PONG_FRAME = eventFrame({ case: "pong", value: {} });
