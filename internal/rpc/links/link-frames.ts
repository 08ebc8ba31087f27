import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { LinkItemKind } from "../../gen/heddle/link/v1/link_pb.js";

/** LinkFrame, read and written by hand, because there is one or more per message; a test holds it equal to the codec. */

export { LinkItemKind };

/** A request, answer, refusal or notice, or a part of one, as LinkItem says it. */
export interface LinkItem {
  readonly id: number;
  readonly kind: LinkItemKind;
  readonly method: number;
  /** In ms. */
  readonly budgetMs: number;
  readonly goesOn: boolean;
  readonly body: Uint8Array;
}

const ITEM = 1;
const FIELD = { id: 1, kind: 2, method: 3, budgetMs: 4, goesOn: 5, body: 6 } as const;
const NOTHING: Uint8Array = new Uint8Array(0);

/** The largest frame after which the writer is kept, in bytes: it keeps up to twice as much. */
const IDLE_BYTES = 16 * 1024;

/** A writer whose memory is used again for the next frame; none while one is written. */
let idleWriter: BinaryWriter | undefined;

/** A frame of these items. Bodies are copied into it. */
export function encodeFrame(items: readonly LinkItem[]): Uint8Array {
  const writer = idleWriter ?? new BinaryWriter();
  idleWriter = undefined; // One that has thrown is not used again.
  for (const item of items) {
    writer.tag(ITEM, WireType.LengthDelimited).fork();
    if (item.id !== 0) writer.tag(FIELD.id, WireType.Varint).uint64(item.id);
    writer.tag(FIELD.kind, WireType.Varint).uint32(item.kind);
    if (item.method !== 0) writer.tag(FIELD.method, WireType.Varint).uint32(item.method);
    if (item.budgetMs !== 0) writer.tag(FIELD.budgetMs, WireType.Varint).uint32(item.budgetMs);
    if (item.goesOn) writer.tag(FIELD.goesOn, WireType.Varint).bool(true);
    if (item.body.length > 0) writer.tag(FIELD.body, WireType.LengthDelimited).bytes(item.body);
    writer.join();
  }
  const frame = writer.finish();
  if (frame.length <= IDLE_BYTES) idleWriter = writer;
  return frame;
}

/**
 * The items of a frame; their bodies are views of it. Throws RangeError, or what the reader throws, if the bytes are
 * no frame. Unknown fields are passed over.
 */
export function decodeFrame(bytes: Uint8Array): LinkItem[] {
  const reader = new BinaryReader(bytes);
  const items: LinkItem[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === ITEM && type === WireType.LengthDelimited) items.push(readItem(reader));
    else reader.skip(type, field);
  }
  return items;
}

function readItem(reader: BinaryReader): LinkItem {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError("an item is longer than its frame");
  const item = {
    id: 0,
    kind: LinkItemKind.UNSPECIFIED,
    method: 0,
    budgetMs: 0,
    goesOn: false,
    body: NOTHING,
  };
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    if (type === WireType.LengthDelimited && field === FIELD.body) item.body = reader.bytes();
    else if (type !== WireType.Varint) reader.skip(type, field);
    else if (field === FIELD.id) item.id = exactly(reader.uint64());
    else if (field === FIELD.kind) item.kind = reader.int32();
    else if (field === FIELD.method) item.method = reader.uint32();
    else if (field === FIELD.budgetMs) item.budgetMs = reader.uint32();
    else if (field === FIELD.goesOn) item.goesOn = reader.bool();
    else reader.skip(type, field);
  }
  if (reader.pos !== end) throw new RangeError("a field is longer than its item");
  return item;
}

function exactly(value: bigint | string): number {
  const number = Number(value);
  if (number > Number.MAX_SAFE_INTEGER) throw new RangeError("an id above 2^53 - 1");
  return number;
}
