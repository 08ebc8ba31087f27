import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import type { HeddleError } from "../../base/heddle-error.ts";
import { fromHex } from "../../base/ids.ts";
import type { ShownPresence } from "../../base/presence.ts";
import type { Accepted } from "../../base/send.ts";
import {
  lengthDelimitedBytes,
  varintBytes,
  writeBytesField,
  writeLength,
  writeVarintField,
} from "../../base/wire.ts";
import { PresenceStatus } from "../../gen/heddle/presence/v1/presence_pb.js";
import {
  type AcceptedSchema,
  type DrainingReason,
  EventSchema,
  type RefusedSchema,
  ServerFrameSchema,
} from "../../gen/heddle/push/v1/frame_pb.js";
import type { Thread } from "../../gen/heddle/thread/v1/thread_pb.js";

/**
 * The events that a push server itself makes, each as one encoded ServerFrame with one event: frames of a stream are
 * joined by concatenation, and every frame counts as one number (docs/design.md, section 4).
 */

/** The domain of every ErrorInfo of ours. */
const ERROR_DOMAIN = "heddle";

/** A sentence of an error is cut there, so that pending refusals stay small. In UTF-16 units. */
const SENTENCE_LENGTH = 200;

type Kind = NonNullable<MessageInitShape<typeof EventSchema>["kind"]>;

function frame(kind: Kind): Uint8Array {
  const event = create(EventSchema, { kind });
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, { events: [event] }));
}

export function openedFrame(sessionId: Uint8Array, userId: string, pingIntervalMs: number): Uint8Array {
  return frame({ case: "opened", value: { sessionId, userId, pingIntervalMs } });
}

/** The tags of ServerFrame.events, of Event.accepted and of Accepted's fields. */
const EVENTS_TAG = (1 << 3) | WireType.LengthDelimited;
const ACCEPTED_TAG = (3 << 3) | WireType.LengthDelimited;
const ACCEPTED = {
  clientId: (1 << 3) | WireType.LengthDelimited,
  threadId: (2 << 3) | WireType.LengthDelimited,
  seq: (3 << 3) | WireType.Varint,
  createdAtMs: (4 << 3) | WireType.Varint,
  duplicate: (5 << 3) | WireType.Varint,
  recipientOffline: (6 << 3) | WireType.Varint,
} as const;

/** Written by hand, field by field, because there is one per message. events.test.ts holds it equal to the schema's. */
export function acceptedFrame(accepted: Accepted): Uint8Array {
  const { clientId, threadId, seq, createdAtMs, duplicate, recipientOffline } = accepted;
  const ids = lengthDelimitedBytes(clientId.length) + lengthDelimitedBytes(threadId.length);
  const numbers = 2 + varintBytes(seq) + varintBytes(createdAtMs);
  const flags = (duplicate ? 2 : 0) + (recipientOffline === undefined ? 0 : 2);
  const acceptedBytes = ids + numbers + flags;
  const eventBytes = lengthDelimitedBytes(acceptedBytes);
  const bytes = new Uint8Array(lengthDelimitedBytes(eventBytes));
  let at = writeLength(bytes, 0, EVENTS_TAG, eventBytes);
  at = writeLength(bytes, at, ACCEPTED_TAG, acceptedBytes);
  at = writeBytesField(bytes, at, ACCEPTED.clientId, clientId);
  at = writeBytesField(bytes, at, ACCEPTED.threadId, threadId);
  at = writeVarintField(bytes, at, ACCEPTED.seq, seq);
  at = writeVarintField(bytes, at, ACCEPTED.createdAtMs, createdAtMs);
  if (duplicate) at = writeVarintField(bytes, at, ACCEPTED.duplicate, 1);
  if (recipientOffline !== undefined)
    writeVarintField(bytes, at, ACCEPTED.recipientOffline, Number(recipientOffline));
  return bytes;
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
}

/** What `refused` says, for the event and for SubmitResponse. */
export function refusedInit(of: RefusedFrame, error: HeddleError): MessageInitShape<typeof RefusedSchema> {
  return {
    clientId: of.clientId,
    threadId: of.threadId,
    code: error.code,
    message: error.message.slice(0, SENTENCE_LENGTH).toWellFormed(),
    errorInfo: { reason: error.reasonName, domain: ERROR_DOMAIN, metadata: { ...error.metadata } },
    retryAfterMs: Math.max(0, Math.round(error.retryAfterMs)),
  };
}

export function refusedFrame(of: RefusedFrame, error: HeddleError): Uint8Array {
  return frame({ case: "refused", value: refusedInit(of, error) });
}

/** A row of Sync. */
export function threadChangedFrame(thread: Thread): Uint8Array {
  const { threadId, head } = thread;
  return frame({ case: "threadChanged", value: head ? { threadId, head, thread } : { threadId, thread } });
}

/** `thread` in hex. The entries up to `seq` exist. */
export function behindFrame(thread: string, seq: number, ordinal: number): Uint8Array {
  const head = { seq: BigInt(seq), ordinal: BigInt(ordinal) };
  return frame({ case: "behind", value: { threadId: fromHex(thread), head } });
}

export const BEHIND_ALL_FRAME = frame({ case: "behindAll", value: {} });

export function caughtUpFrame(cursor: Uint8Array): Uint8Array {
  return frame({ case: "caughtUp", value: { cursor } });
}

export function drainingFrame(reason: DrainingReason, afterMs: number, jitterMs: number): Uint8Array {
  return frame({
    case: "draining",
    value: { reason, afterMs: Math.round(afterMs), jitterMs: Math.round(jitterMs) },
  });
}

/** Whoever may not be seen any more is not known any more. */
const STATUSES = {
  unknown: PresenceStatus.UNKNOWN,
  hidden: PresenceStatus.UNKNOWN,
  online: PresenceStatus.ONLINE,
  offline: PresenceStatus.OFFLINE,
} as const;

/** At most PRESENCE_FRAME_BYTES. */
export function presenceFrame(userId: string, { status, lastSeenAtMs }: ShownPresence): Uint8Array {
  const value = { userId, status: STATUSES[status], lastSeenAtMs: BigInt(lastSeenAtMs) };
  return frame({ case: "presence", value });
}

export const PONG_FRAME = frame({ case: "pong", value: {} });
