import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Body,
  BodySchema,
  type EntryCell,
  EntryCellSchema,
  VoidSchema,
} from "../../gen/heddle/message/v1/entry_pb.js";
import { tagOf } from "../../wire/tags.ts";
import { sha256 } from "./sha256.ts";

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

/** The body of a void. */
export const VOID_BODY: EncodedBody = encodeBody(
  create(BodySchema, { kind: { case: "void", value: create(VoidSchema) } }),
);

/** Decodes a cell of family `m`. Throws if the bytes are none. */
export function decodeCell(value: Uint8Array): EntryCell {
  return fromBinary(EntryCellSchema, value);
}
