import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Field numbers of Event (proto/heddle/push/v1/frame.proto). */
export const EVENT = {
  opened: 1,
  entry: 2,
  accepted: 3,
  refused: 4,
  receipt: 5,
  threadChanged: 6,
  behind: 7,
  behindAll: 8,
  caughtUp: 9,
  draining: 10,
  pong: 11,
  presence: 12,
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
    if (kind === EVENT.entry) readSeqAndId(reader, reader.pos + length, 2, 5, sink, true);
    else if (kind === EVENT.accepted) readSeqAndId(reader, reader.pos + length, 3, 1, sink, false);
    else sink.onOther(kind, frame.subarray(reader.pos, reader.pos + length));
    reader.pos = end;
  }
  return events;
}

function readSeqAndId(
  reader: BinaryReader,
  end: number,
  seqField: number,
  idField: number,
  sink: EventSink,
  isEntry: boolean,
): void {
  let seq = 0;
  let clientId: Uint8Array | undefined;
  while (reader.pos < end && (seq === 0 || clientId === undefined)) {
    const [field, wireType] = reader.tag();
    if (field === seqField)
      seq = reader.uint32(); // No load makes 2^32 entries in a thread.
    else if (field === idField) clientId = reader.bytes();
    else reader.skip(wireType, field);
  }
  if (!clientId) return;
  if (isEntry) sink.onEntry(clientId, seq);
  else sink.onAccepted(clientId, seq);
}
