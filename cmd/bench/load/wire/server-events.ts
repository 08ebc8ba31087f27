import { BinaryReader } from "@bufbuild/protobuf/wire";
import { EntrySchema } from "../../../../internal/gen/heddle/message/v1/entry_pb.js";
import { AcceptedSchema, EventSchema } from "../../../../internal/gen/heddle/push/v1/frame_pb.js";

/** Field numbers of the events that a load looks at. */
export const EVENT = {
  entry: EventSchema.field.entry.number,
  accepted: EventSchema.field.accepted.number,
  refused: EventSchema.field.refused.number,
  behind: EventSchema.field.behind.number,
  behindAll: EventSchema.field.behindAll.number,
  caughtUp: EventSchema.field.caughtUp.number,
  draining: EventSchema.field.draining.number,
  presence: EventSchema.field.presence.number,
} as const;

const ENTRY = { seq: EntrySchema.field.seq.number, clientId: EntrySchema.field.clientId.number } as const;
const ACCEPTED = {
  seq: AcceptedSchema.field.seq.number,
  clientId: AcceptedSchema.field.clientId.number,
} as const;

/** What a load wants to know of the events of a stream. */
export interface EventSink {
  /** An entry of somebody else's. The id is a view. */
  onEntry(clientId: Uint8Array, seq: number): void;
  /** A send of this stream is in the log. The id is a view. */
  onAccepted(clientId: Uint8Array, seq: number): void;
  /** Anything else, by its field number, with its bytes. */
  onOther(kind: number, bytes: Uint8Array): void;
}

/** Reads as little of a ServerFrame as counting needs. Returns how many events it has. */
export function readEvents(frame: Uint8Array, sink: EventSink): number {
  const reader = new BinaryReader(frame);
  let events = 0;
  while (reader.pos < reader.len) {
    reader.tag(); // `events`: ServerFrame has no other field.
    const end = reader.uint32() + reader.pos;
    const [kind] = reader.tag();
    const length = reader.uint32();
    events++;
    if (kind === EVENT.entry) readSeqAndId(reader, reader.pos + length, ENTRY, sink);
    else if (kind === EVENT.accepted) readSeqAndId(reader, reader.pos + length, ACCEPTED, sink);
    else sink.onOther(kind, frame.subarray(reader.pos, reader.pos + length));
    reader.pos = end;
  }
  return events;
}

function readSeqAndId(
  reader: BinaryReader,
  end: number,
  fields: typeof ENTRY | typeof ACCEPTED,
  sink: EventSink,
): void {
  let seq = 0;
  let clientId: Uint8Array | undefined;
  while (reader.pos < end && (seq === 0 || clientId === undefined)) {
    const [field, wireType] = reader.tag();
    if (field === fields.seq)
      seq = reader.uint32(); // No load makes 2^32 entries in a thread.
    else if (field === fields.clientId) clientId = reader.bytes();
    else reader.skip(wireType, field);
  }
  if (!clientId) return;
  if (fields === ENTRY) sink.onEntry(clientId, seq);
  else sink.onAccepted(clientId, seq);
}
