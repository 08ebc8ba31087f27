import { EntryCellSchema } from "../gen/heddle/message/v1/entry_pb.js";
import { tagOf } from "./tags.ts";

/**
 * Where parts of a cell of family `m` stand in it: each from its first byte to the one behind its last. An absent one is
 * empty. Places, not views: every entry that is read is judged by them, and four views of a Buffer cost more than that.
 */
export interface CellPlaces {
  readonly hashFrom: number;
  readonly hashTo: number;
  readonly senderFrom: number;
  readonly senderTo: number;
  readonly clientIdFrom: number;
  readonly clientIdTo: number;
  readonly bodyFrom: number;
  readonly bodyTo: number;
}

const { field } = EntryCellSchema;
const HASH = tagOf(field.payloadHash);
const SENDER = tagOf(field.sender);
const CLIENT_ID = tagOf(field.clientId);
const BODY = tagOf(field.body);
const BASE_SEQ = tagOf(field.baseSeq);
const ORDINAL = tagOf(field.ordinal);
const CREATED_AT_MS = tagOf(field.createdAtMs);

/** Takes a cell apart, at a tenth of what decoding costs. Undefined if the bytes are none. */
export function cellPlaces(cell: Uint8Array): CellPlaces | undefined {
  let hashFrom = 0;
  let hashTo = 0;
  let senderFrom = 0;
  let senderTo = 0;
  let clientIdFrom = 0;
  let clientIdTo = 0;
  let bodyFrom = 0;
  let bodyTo = 0;
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
    if (tag === BASE_SEQ || tag === ORDINAL || tag === CREATED_AT_MS) continue;
    const from = at;
    at += value;
    if (at > cell.length) return undefined;
    if (tag === HASH) {
      hashFrom = from;
      hashTo = at;
    } else if (tag === SENDER) {
      senderFrom = from;
      senderTo = at;
    } else if (tag === CLIENT_ID) {
      clientIdFrom = from;
      clientIdTo = at;
    } else if (tag === BODY) {
      bodyFrom = from;
      bodyTo = at;
    } else return undefined;
  }
  return { hashFrom, hashTo, senderFrom, senderTo, clientIdFrom, clientIdTo, bodyFrom, bodyTo };
}
