import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Body, Entry, EntryCell } from "../gen/heddle/message/v1/entry_pb.js";
import { BodySchema, EntryCellSchema, EntrySchema, VoidSchema } from "../gen/heddle/message/v1/entry_pb.js";

/** What a cell of family `m` says, before it is encoded. */
export interface CellFields {
  readonly sender: string;
  readonly clientId: Uint8Array;
  readonly baseSeq: number;
  readonly ordinal: number;
  readonly createdAtMs: number;
  readonly body: EncodedBody;
}

/** A body in the server's own encoding, with the hash that makes a repeat recognisable. */
export interface EncodedBody {
  readonly bytes: Uint8Array;
  /** SHA-256 of bytes: 32 bytes. */
  readonly hash: Uint8Array;
  /** Whether a person would count it as a message. */
  readonly isMessage: boolean;
}

/** Encodes a body, fields in order; unknown fields are dropped, so that equal bodies have equal bytes. */
export function encodeBody(body: Body): EncodedBody {
  const bytes = toBinary(BodySchema, body, { writeUnknownFields: false });
  const hash = createHash("sha256").update(bytes).digest();
  return { bytes, hash, isMessage: body.kind.case === "text" };
}

/** The body of a void. */
export const VOID_BODY: EncodedBody = encodeBody(
  create(BodySchema, { kind: { case: "void", value: create(VoidSchema) } }),
);

/** Bytes that the payload hash takes at the front of a cell: tag, length, 32 bytes. */
const HASH_FIELD_BYTES = 34;
const HASH_TAG = (3 << 3) | WireType.LengthDelimited;

/** Encodes an EntryCell. The hash comes first, so that entryOfCell can cut it off. */
export function encodeCell(fields: CellFields): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(3, WireType.LengthDelimited).bytes(fields.body.hash);
  writer.tag(4, WireType.LengthDelimited).string(fields.sender);
  writer.tag(5, WireType.LengthDelimited).bytes(fields.clientId);
  if (fields.baseSeq > 0) writer.tag(6, WireType.Varint).uint64(fields.baseSeq);
  if (fields.ordinal > 0) writer.tag(7, WireType.Varint).uint64(fields.ordinal);
  writer.tag(8, WireType.Varint).int64(fields.createdAtMs);
  writer.tag(9, WireType.LengthDelimited).bytes(fields.body.bytes);
  return writer.finish();
}

/** Decodes a cell of family `m`. Throws if the bytes are none. */
export function decodeCell(value: Uint8Array): EntryCell {
  return fromBinary(EntryCellSchema, value);
}

/** The Entry that a cell is for readers, encoded: thread id and seq from its key, the rest without the hash. */
export function entryBytes(threadId: Uint8Array, seq: number, cell: Uint8Array): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).bytes(threadId);
  writer.tag(2, WireType.Varint).uint64(seq);
  return writer.raw(cell[0] === HASH_TAG ? cell.subarray(HASH_FIELD_BYTES) : cell).finish();
}

/** The Entry that a cell is for readers. */
export function entryOfCell(threadId: Uint8Array, seq: number, cell: Uint8Array): Entry {
  return fromBinary(EntrySchema, entryBytes(threadId, seq, cell));
}

/** An `entry` event as one encoded ServerFrame: made once, shared by every stream. */
export function entryFrame(threadId: Uint8Array, seq: number, cell: Uint8Array): Uint8Array {
  const entry = entryBytes(threadId, seq, cell);
  const event = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(entry).finish();
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(event).finish();
}
