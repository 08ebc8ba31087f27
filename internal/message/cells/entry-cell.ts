import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/ids.ts";
import { sha256 } from "../../base/sha256.ts";
import {
  type Body,
  BodySchema,
  type EntryCell,
  EntryCellSchema,
  VoidSchema,
} from "../../gen/heddle/message/v1/entry_pb.js";
import { tagOf } from "../../wire/tags.ts";
import { sendHash } from "./send-tag.ts";

/** A body in the server's own encoding, with the hash that makes a repeat recognisable. */
export interface EncodedBody {
  readonly bytes: Uint8Array;
  /** SHA-256 of bytes: 32 bytes. */
  readonly hash: Uint8Array;
  /** Whether a person would count it as a message. */
  readonly isMessage: boolean;
}

const TEXT_TAG = tagOf(BodySchema.field.text);
const MEMBER_CHANGE_TAG = tagOf(BodySchema.field.memberChange);
const SETTING_CHANGE_TAG = tagOf(BodySchema.field.settingChange);

/**
 * Encodes a body, fields in order; unknown fields are dropped, so that equal bodies have equal bytes. Bytes are taken
 * to be encoded so already.
 */
export function encodeBody(body: Body | Uint8Array): EncodedBody {
  const bytes = body instanceof Uint8Array ? body : toBinary(BodySchema, body, { writeUnknownFields: false });
  return { bytes, hash: sha256(bytes, 32), isMessage: bytes[0] === TEXT_TAG };
}

/** Whether the payload hash of a cell with this body is the body's: of member and setting entries it is the request's. */
export function isHashedItself(bytes: Uint8Array): boolean {
  return bytes[0] !== MEMBER_CHANGE_TAG && bytes[0] !== SETTING_CHANGE_TAG;
}

const VOID_BODY = encodeBody(create(BodySchema, { kind: { case: "void", value: create(VoidSchema) } }));

/** Whether an encoded body is a void's. */
export function isVoid(bytes: Uint8Array): boolean {
  return equalBytes(bytes, VOID_BODY.bytes);
}

/**
 * The body of the void that a send is sealed with. Its cell has no sender and no client_id, and instead of the body's
 * hash that of both: so the send is recognised, and no reader, who gets no hash, learns whose it was.
 */
export function voidBody(sender: string, clientId: Uint8Array): EncodedBody {
  return { ...VOID_BODY, hash: sendHash(sender, clientId) };
}

/** Whether a cell is a send of this sender under this client_id, or the void that stands for it. */
export function isOfSend(cell: EntryCell, sender: string, clientId: Uint8Array): boolean {
  // Voids of an earlier Heddle have both, like every other entry.
  if (cell.sender !== "") return cell.sender === sender && equalBytes(cell.clientId, clientId);
  return cell.body?.kind.case === "void" && equalBytes(cell.payloadHash, sendHash(sender, clientId));
}

/** Decodes a cell of family `m`. Throws if the bytes are none. */
export function decodeCell(value: Uint8Array): EntryCell {
  return fromBinary(EntryCellSchema, value);
}
