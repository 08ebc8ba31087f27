import { WireType } from "@bufbuild/protobuf/wire";
import { EntryCellSchema } from "../gen/heddle/message/v1/entry_pb.js";
import { tagOf } from "./tags.ts";

/** Parts of a cell of family `m`, sharing its bytes. An absent one is empty. */
export interface CellParts {
  readonly hash: Uint8Array;
  readonly sender: Uint8Array;
  readonly clientId: Uint8Array;
  readonly body: Uint8Array;
}

const { field } = EntryCellSchema;
const HASH = tagOf(field.payloadHash);
const SENDER = tagOf(field.sender);
const CLIENT_ID = tagOf(field.clientId);
const BODY = tagOf(field.body);
const NUMBERS = [field.baseSeq, field.ordinal, field.createdAtMs].map(tagOf);

const EMPTY = new Uint8Array(0);

/** Takes a cell apart, at a tenth of what decoding costs. Undefined if the bytes are none. */
export function cellParts(cell: Uint8Array): CellParts | undefined {
  const parts: { -readonly [part in keyof CellParts]: Uint8Array } = {
    hash: EMPTY,
    sender: EMPTY,
    clientId: EMPTY,
    body: EMPTY,
  };
  let at = 0;
  while (at < cell.length) {
    const tag = cell[at++] ?? 0;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = cell[at++];
      if (byte === undefined || scale > 2 ** 56) return undefined;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if ((tag & 7) === WireType.LengthDelimited) {
      const bytes = cell.subarray(at, at + value);
      if (bytes.length < value) return undefined;
      at += value;
      if (tag === HASH) parts.hash = bytes;
      else if (tag === SENDER) parts.sender = bytes;
      else if (tag === CLIENT_ID) parts.clientId = bytes;
      else if (tag === BODY) parts.body = bytes;
      else return undefined;
    } else if (!NUMBERS.includes(tag)) return undefined;
  }
  return parts;
}
