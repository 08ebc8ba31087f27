import { EntryCellSchema, EntrySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { ListEntriesResponseSchema } from "../gen/heddle/message/v1/message_service_pb.js";
import {
  lengthDelimitedBytes,
  varintBytes,
  writeAsciiField,
  writeBytesField,
  writeLength,
  writeVarintField,
} from "./fields.ts";
import { tagOf } from "./tags.ts";

/** What a cell of family `m` says, before it is encoded. */
export interface CellFields {
  /** "" for a void, which has no client_id either. */
  readonly sender: string;
  readonly clientId: Uint8Array;
  readonly baseSeq: number;
  readonly ordinal: number;
  readonly createdAtMs: number;
  /** A Body, encoded, and its payload hash: 32 bytes. */
  readonly body: { readonly bytes: Uint8Array; readonly hash: Uint8Array };
}

const CELL = {
  hash: tagOf(EntryCellSchema.field.payloadHash),
  sender: tagOf(EntryCellSchema.field.sender),
  clientId: tagOf(EntryCellSchema.field.clientId),
  baseSeq: tagOf(EntryCellSchema.field.baseSeq),
  ordinal: tagOf(EntryCellSchema.field.ordinal),
  createdAtMs: tagOf(EntryCellSchema.field.createdAtMs),
  body: tagOf(EntryCellSchema.field.body),
} as const;

/** What an Entry has and its cell has not; its other fields have the cell's tags (general-codec.test.ts). */
const ENTRY = { threadId: tagOf(EntrySchema.field.threadId), seq: tagOf(EntrySchema.field.seq) } as const;

const PAGE_ENTRIES = tagOf(ListEntriesResponseSchema.field.entries);

/** Bytes that the payload hash takes at the front of a cell: tag, length, 32 bytes. */
const HASH_FIELD_BYTES = 34;

/**
 * Encodes an EntryCell. The hash comes first, so that it can be cut off. In memory shared with other buffers: a cell is
 * let go when its append is answered.
 */
export function encodeCell(fields: CellFields): Uint8Array {
  const { sender, clientId, baseSeq, ordinal, createdAtMs, body } = fields;
  const isNamed = sender !== "";
  const hasBase = baseSeq > 0;
  const hasOrdinal = ordinal > 0;
  const { buffer, byteOffset, length } = Buffer.allocUnsafe(
    HASH_FIELD_BYTES +
      (isNamed ? lengthDelimitedBytes(sender.length) + lengthDelimitedBytes(clientId.length) : 0) +
      (hasBase ? 1 + varintBytes(baseSeq) : 0) +
      (hasOrdinal ? 1 + varintBytes(ordinal) : 0) +
      1 +
      varintBytes(createdAtMs) +
      lengthDelimitedBytes(body.bytes.length),
  );
  const cell = new Uint8Array(buffer, byteOffset, length);
  let at = writeBytesField(cell, 0, CELL.hash, body.hash);
  if (isNamed) {
    at = writeAsciiField(cell, at, CELL.sender, sender);
    at = writeBytesField(cell, at, CELL.clientId, clientId);
  }
  if (hasBase) at = writeVarintField(cell, at, CELL.baseSeq, baseSeq);
  if (hasOrdinal) at = writeVarintField(cell, at, CELL.ordinal, ordinal);
  at = writeVarintField(cell, at, CELL.createdAtMs, createdAtMs);
  writeBytesField(cell, at, CELL.body, body.bytes);
  return cell;
}

/**
 * The entries of a page as ListEntriesResponse has them, encoded, in one piece: thread id and seq from the cells' keys, the
 * rest without the hash.
 */
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
    at = writeLength(entries, at, PAGE_ENTRIES, length);
    writeEntry(entries, at, threadId, seq, value);
    at += length;
  }
  return entries;
}

/** How many bytes the Entry of a cell takes. */
export function entryLength(threadId: Uint8Array, seq: number, cell: Uint8Array): number {
  const keyed = lengthDelimitedBytes(threadId.length) + 1 + varintBytes(seq);
  return keyed + cell.length - sharedFrom(cell);
}

/** Writes the Entry of a cell, as long as entryLength says. */
export function writeEntry(
  target: Uint8Array,
  from: number,
  threadId: Uint8Array,
  seq: number,
  cell: Uint8Array,
): void {
  const at = writeVarintField(
    target,
    writeBytesField(target, from, ENTRY.threadId, threadId),
    ENTRY.seq,
    seq,
  );
  target.set(cell.subarray(sharedFrom(cell)), at);
}

/** Where the fields begin that a cell shares with an Entry: behind its hash, which an erased one does not have. */
function sharedFrom(cell: Uint8Array): number {
  return cell[0] === CELL.hash ? HASH_FIELD_BYTES : 0;
}
