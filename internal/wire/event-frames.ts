import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Accepted } from "../base/send.ts";
import { AcceptedSchema, EventSchema, ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import type { Thread } from "../gen/heddle/thread/v1/thread_pb.js";
import { entryLength, writeEntry } from "./entry-bytes.ts";
import {
  lengthDelimitedBytes,
  varintBytes,
  writeBytesField,
  writeLength,
  writeVarintField,
} from "./fields.ts";
import { tagOf } from "./tags.ts";

/**
 * Events for clients, each as one encoded ServerFrame with one event: frames of a stream are joined by concatenation,
 * and every event counts as one number (docs/design.md, section 4). Those of which there is one or more per message are
 * written by hand, the others by the general encoder.
 */

const EVENTS = tagOf(ServerFrameSchema.field.events);
const EVENT = { entry: tagOf(EventSchema.field.entry), accepted: tagOf(EventSchema.field.accepted) } as const;
const ACCEPTED = {
  clientId: tagOf(AcceptedSchema.field.clientId),
  threadId: tagOf(AcceptedSchema.field.threadId),
  seq: tagOf(AcceptedSchema.field.seq),
  createdAtMs: tagOf(AcceptedSchema.field.createdAtMs),
  duplicate: tagOf(AcceptedSchema.field.duplicate),
  recipientOffline: tagOf(AcceptedSchema.field.recipientOffline),
} as const;

/** What an event says. */
export type EventKind = NonNullable<MessageInitShape<typeof EventSchema>["kind"]>;

/** Any event, by the general encoder. */
export function eventFrame(kind: EventKind): Uint8Array {
  const event = create(EventSchema, { kind });
  return toBinary(ServerFrameSchema, create(ServerFrameSchema, { events: [event] }));
}

/** A row of Sync. */
export function threadChangedFrame(thread: Thread): Uint8Array {
  const { threadId, head } = thread;
  return eventFrame({
    case: "threadChanged",
    value: head ? { threadId, head, thread } : { threadId, thread },
  });
}

/** `entry` of a cell: made once, shared by every stream, in memory of its own because it may wait for slow ones. */
export function entryFrame(threadId: Uint8Array, seq: number, cell: Uint8Array): Uint8Array {
  const entryBytes = entryLength(threadId, seq, cell);
  const eventBytes = lengthDelimitedBytes(entryBytes);
  const frame = new Uint8Array(lengthDelimitedBytes(eventBytes));
  const at = writeLength(frame, 0, EVENTS, eventBytes);
  writeEntry(frame, writeLength(frame, at, EVENT.entry, entryBytes), threadId, seq, cell);
  return frame;
}

/** `accepted`. */
export function acceptedFrame(accepted: Accepted): Uint8Array {
  const { clientId, threadId, seq, createdAtMs, duplicate, recipientOffline } = accepted;
  const ids = lengthDelimitedBytes(clientId.length) + lengthDelimitedBytes(threadId.length);
  const numbers = 2 + varintBytes(seq) + varintBytes(createdAtMs);
  const flags = (duplicate ? 2 : 0) + (recipientOffline === undefined ? 0 : 2);
  const acceptedBytes = ids + numbers + flags;
  const eventBytes = lengthDelimitedBytes(acceptedBytes);
  const bytes = new Uint8Array(lengthDelimitedBytes(eventBytes));
  let at = writeLength(bytes, 0, EVENTS, eventBytes);
  at = writeLength(bytes, at, EVENT.accepted, acceptedBytes);
  at = writeBytesField(bytes, at, ACCEPTED.clientId, clientId);
  at = writeBytesField(bytes, at, ACCEPTED.threadId, threadId);
  at = writeVarintField(bytes, at, ACCEPTED.seq, seq);
  at = writeVarintField(bytes, at, ACCEPTED.createdAtMs, createdAtMs);
  if (duplicate) at = writeVarintField(bytes, at, ACCEPTED.duplicate, 1);
  if (recipientOffline !== undefined)
    writeVarintField(bytes, at, ACCEPTED.recipientOffline, Number(recipientOffline));
  return bytes;
}
