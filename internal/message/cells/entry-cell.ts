import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import {
  lengthDelimitedBytes,
  varintBytes,
  writeAsciiField,
  writeBytesField,
  writeLength,
  writeVarintField,
} from "../../base/wire.ts";
import type { Body, Entry, EntryCell } from "../../gen/heddle/message/v1/entry_pb.js";
import {
  BodySchema,
  EntryCellSchema,
  EntrySchema,
  VoidSchema,
} from "../../gen/heddle/message/v1/entry_pb.js";
import { sha256 } from "./sha256.ts";

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

/** The tag of Body.text. */
const TEXT_TAG = (1 << 3) | WireType.LengthDelimited;

/**
 * Encodes a body, fields in order; unknown fields are dropped, so that equal bodies have equal bytes. Bytes are taken
 * to be encoded so already.
 */
export function encodeBody(body: Body | Uint8Array): EncodedBody {
  const bytes = body instanceof Uint8Array ? body : toBinary(BodySchema, body, { writeUnknownFields: false });
  return { bytes, hash: sha256(bytes, 32), isMessage: bytes[0] === TEXT_TAG };
}

/** The body of a void. */
export const VOID_BODY: EncodedBody = encodeBody(
  create(BodySchema, { kind: { case: "void", value: create(VoidSchema) } }),
);

/** Bytes that the payload hash takes at the front of a cell: tag, length, 32 bytes. */
const HASH_FIELD_BYTES = 34;
/** The tags of an EntryCell's and an Entry's fields: field number and wire type. */
const TAG = {
  threadId: (1 << 3) | WireType.LengthDelimited,
  seq: (2 << 3) | WireType.Varint,
  hash: (3 << 3) | WireType.LengthDelimited,
  sender: (4 << 3) | WireType.LengthDelimited,
  clientId: (5 << 3) | WireType.LengthDelimited,
  baseSeq: (6 << 3) | WireType.Varint,
  ordinal: (7 << 3) | WireType.Varint,
  createdAtMs: (8 << 3) | WireType.Varint,
  body: (9 << 3) | WireType.LengthDelimited,
} as const;

/**
 * Encodes an EntryCell. The hash comes first, so that entryOfCell can cut it off. In memory shared with other buffers:
 * a cell is let go when its append is answered.
 */
export function encodeCell(fields: CellFields): Uint8Array {
  const { sender, clientId, baseSeq, ordinal, createdAtMs, body } = fields;
  const hasBase = baseSeq > 0;
  const hasOrdinal = ordinal > 0;
  const { buffer, byteOffset, length } = Buffer.allocUnsafe(
    HASH_FIELD_BYTES +
      lengthDelimitedBytes(sender.length) +
      lengthDelimitedBytes(clientId.length) +
      (hasBase ? 1 + varintBytes(baseSeq) : 0) +
      (hasOrdinal ? 1 + varintBytes(ordinal) : 0) +
      1 +
      varintBytes(createdAtMs) +
      lengthDelimitedBytes(body.bytes.length),
  );
  const cell = new Uint8Array(buffer, byteOffset, length);
  let at = writeBytesField(cell, 0, TAG.hash, body.hash);
  at = writeAsciiField(cell, at, TAG.sender, sender);
  at = writeBytesField(cell, at, TAG.clientId, clientId);
  if (hasBase) at = writeVarintField(cell, at, TAG.baseSeq, baseSeq);
  if (hasOrdinal) at = writeVarintField(cell, at, TAG.ordinal, ordinal);
  at = writeVarintField(cell, at, TAG.createdAtMs, createdAtMs);
  writeBytesField(cell, at, TAG.body, body.bytes);
  return cell;
}

/** Decodes a cell of family `m`. Throws if the bytes are none. */
export function decodeCell(value: Uint8Array): EntryCell {
  return fromBinary(EntryCellSchema, value);
}

/** The Entry that a cell is for readers, encoded: thread id and seq from its key, the rest without the hash. */
export function entryBytes(threadId: Uint8Array, seq: number, cell: Uint8Array): Uint8Array {
  const entry = new Uint8Array(entryLength(threadId, seq, cell));
  writeEntry(entry, 0, threadId, seq, cell);
  return entry;
}

/** The tag of ListEntriesResponse.entries. */
const ENTRIES_TAG = (1 << 3) | WireType.LengthDelimited;

/** The entries of a page as ListEntriesResponse has them, encoded, in one piece. */
export function entriesField(
  threadId: Uint8Array,
  cells: readonly { readonly seq: number; readonly value: Uint8Array }[],
): Uint8Array {
  let size = 0;
  for (const { seq, value } of cells) size += lengthDelimitedBytes(entryLength(threadId, seq, value));
  const entries = new Uint8Array(size);
  let at = 0;
  for (const { seq, value } of cells) {
    const length = entryLength(threadId, seq, value);
    at = writeLength(entries, at, ENTRIES_TAG, length);
    writeEntry(entries, at, threadId, seq, value);
    at += length;
  }
  return entries;
}

/** The Entry that a cell is for readers. */
export function entryOfCell(threadId: Uint8Array, seq: number, cell: Uint8Array): Entry {
  return fromBinary(EntrySchema, entryBytes(threadId, seq, cell));
}

/** The tags of ServerFrame.events and Event.entry. */
const EVENTS_TAG = (1 << 3) | WireType.LengthDelimited;
const ENTRY_TAG = (2 << 3) | WireType.LengthDelimited;

/**
 * An `entry` event as one encoded ServerFrame: made once, shared by every stream, in memory of its own because it may
 * wait for slow ones.
 */
export function entryFrame(threadId: Uint8Array, seq: number, cell: Uint8Array): Uint8Array {
  const entryBytes = entryLength(threadId, seq, cell);
  const eventBytes = lengthDelimitedBytes(entryBytes);
  const frame = new Uint8Array(lengthDelimitedBytes(eventBytes));
  const at = writeLength(frame, 0, EVENTS_TAG, eventBytes);
  writeEntry(frame, writeLength(frame, at, ENTRY_TAG, entryBytes), threadId, seq, cell);
  return frame;
}

/** Where the fields begin that a cell shares with an Entry: behind its hash, which an erased one does not have. */
function sharedFrom(cell: Uint8Array): number {
  return cell[0] === TAG.hash ? HASH_FIELD_BYTES : 0;
}

function entryLength(threadId: Uint8Array, seq: number, cell: Uint8Array): number {
  const keyed = lengthDelimitedBytes(threadId.length) + 1 + varintBytes(seq);
  return keyed + cell.length - sharedFrom(cell);
}

function writeEntry(
  target: Uint8Array,
  from: number,
  threadId: Uint8Array,
  seq: number,
  cell: Uint8Array,
): void {
  const at = writeVarintField(target, writeBytesField(target, from, TAG.threadId, threadId), TAG.seq, seq);
  target.set(cell.subarray(sharedFrom(cell)), at);
}
