import { hasSha256 } from "../../base/sha256.ts";
import { cellPlaces } from "../../wire/cell-places.ts";
import type { EntryCellPut } from "../ports.ts";
import { isHashedItself, isVoid } from "./entry-cell.ts";
import { isTagIn, TAG_BYTES } from "./send-tag.ts";

const CLIENT_ID_BYTES = 16;
const HASH_BYTES = 32;

/**
 * Whether a cell is still what was appended, as far as it can say: LevelDB checks no checksum when it reads, so a bit
 * that flipped on the disk would be another word in a message. The tag in the key names sender and client_id, the hash
 * the text. About 3 µs.
 */
export function isSound({ tag, value }: Pick<EntryCellPut, "tag" | "value">): boolean {
  const places = cellPlaces(value);
  if (!places) return false;
  const { hashFrom, hashTo, senderFrom, senderTo, clientIdFrom, clientIdTo, bodyFrom, bodyTo } = places;
  const isNamed = senderTo > senderFrom;
  if (clientIdTo - clientIdFrom !== (isNamed ? CLIENT_ID_BYTES : 0)) return false;
  const body = value.subarray(bodyFrom, bodyTo);
  // A void has neither; its key says how its hash begins.
  if (!isNamed) return beginsAt(value, hashFrom, hashTo, tag) && isVoid(body);
  if (!isTagIn(value, places, tag)) return false;
  // An erased one has none.
  if (hashTo === hashFrom || !isHashedItself(body)) return true;
  return hashTo - hashFrom === HASH_BYTES && hasSha256(body, value, hashFrom, hashTo);
}

function beginsAt(bytes: Uint8Array, from: number, to: number, start: Uint8Array): boolean {
  if (start.length !== TAG_BYTES || to - from < TAG_BYTES) return false;
  for (let at = 0; at < TAG_BYTES; at++) if (bytes[from + at] !== start[at]) return false;
  return true;
}
