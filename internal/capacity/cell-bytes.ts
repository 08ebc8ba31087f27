import { create, toBinary } from "@bufbuild/protobuf";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { encodeCell } from "../wire/entry-bytes.ts";
import { RULES } from "./constants.ts";

/**
 * What HBase keeps beside the value of each cell: it repeats row, family and qualifier in every one. Rows and qualifiers
 * are those of docs/design.md, section 5. This is why an entry is one cell, and families have names of one letter.
 */
const KEY_BYTES = {
  lengths: 4 + 4 + 2 + 1,
  row: 2 + 16 + 4,
  family: 1,
  qualifier: 8 + 8,
  timestamp: 8,
  type: 1,
  /** Which write it came with, as a varint of so many bytes mostly. */
  sequence: 4,
} as const;

/** Bytes of the cell of one message with so many bytes of text: the value as the message service encodes it, and its key. */
export function cellBytes(textBytes: number): number {
  const text = "x".repeat(textBytes);
  const body = toBinary(BodySchema, create(BodySchema, { kind: { case: "text", value: { text } } }));
  const value = encodeCell({
    sender: "u".repeat(RULES.userIdBytes.value),
    clientId: new Uint8Array(16),
    // In the middle of a long thread: numbers of two bytes.
    baseSeq: 1_000,
    ordinal: 1_000,
    createdAtMs: Date.UTC(2030, 0, 1),
    body: { bytes: body, hash: new Uint8Array(32) },
  });
  return value.length + Object.values(KEY_BYTES).reduce((sum, bytes) => sum + bytes, 0);
}
