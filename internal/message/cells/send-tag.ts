import { equalBytes, USER_ID_BYTES } from "../../base/ids.ts";
import { hasSha256, sha256 } from "../../base/sha256.ts";
import type { CellPlaces } from "../../wire/cell-places.ts";

/** Where sender, NUL and client_id stand side by side to be hashed. For the length of one call. */
const joined = Buffer.alloc(USER_ID_BYTES + 1 + 16);
/** The first so many bytes of it, once they were asked for. */
const starts: Uint8Array[] = [];

/** Bytes of a tag. */
export const TAG_BYTES = 8;

/**
 * The 8 bytes that stand for a send in the qualifiers of family `m`: of SHA-256 over sender, a NUL (which no user_id
 * contains) and client_id. Short, so that keys are; the cell says for certain.
 */
export function sendTag(sender: string, clientId: Uint8Array): Uint8Array {
  return hashOf(sender, clientId, TAG_BYTES);
}

/** What of a cell its tag is made of. */
export interface TaggedCell {
  /** "" for a void. */
  readonly sender: string;
  readonly clientId: Uint8Array;
  readonly hash: Uint8Array;
}

/** Whether a cell is the one that its key's tag names: by its sender and client_id, or, of a void, by their hash. */
export function isTagged({ sender, clientId, hash }: TaggedCell, tag: Uint8Array): boolean {
  return equalBytes(sender === "" ? hash.subarray(0, TAG_BYTES) : sendTag(sender, clientId), tag);
}

/** All 32 bytes of that hash: what a void has of the send that it stands for. It names no one. */
export function sendHash(sender: string, clientId: Uint8Array): Uint8Array {
  return hashOf(sender, clientId, 32);
}

function hashOf(sender: string, clientId: Uint8Array, length: number): Uint8Array {
  const end = joined.write(sender, "latin1");
  joined[end] = 0;
  joined.set(clientId, end + 1);
  return sha256(startOf(end + 1 + clientId.length), length);
}

/** Whether a tag is that of the sender and the client_id that stand in a cell. */
export function isTagIn(cell: Uint8Array, places: CellPlaces, tag: Uint8Array): boolean {
  const { senderFrom, senderTo, clientIdFrom, clientIdTo } = places;
  const length = senderTo - senderFrom + 1 + clientIdTo - clientIdFrom;
  if (length > joined.length || tag.length !== TAG_BYTES) return false;
  let end = 0;
  for (let at = senderFrom; at < senderTo; at++) joined[end++] = cell[at] ?? 0;
  joined[end++] = 0;
  for (let at = clientIdFrom; at < clientIdTo; at++) joined[end++] = cell[at] ?? 0;
  return hasSha256(startOf(length), tag, 0, TAG_BYTES);
}

function startOf(length: number): Uint8Array {
  let start = starts[length];
  if (!start) {
    start = joined.subarray(0, length);
    starts[length] = start;
  }
  return start;
}

/**
 * A tag as a map key: 30 of its bits, which fit into a small integer, so that a key costs neither memory nor hashing.
 * Among the keys of a cache two tags are hardly ever equal in them, and then the cell decides, as for equal tags.
 */
export function tagKey(tag: Uint8Array): number {
  return (wordAt(tag, 0) ^ wordAt(tag, 4)) & 0x3fffffff;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
