import { USER_ID_BYTES, USER_ID_PATTERN } from "../base/ids.ts";
import type { Send } from "../base/send.ts";
import { isWellFormedUtf8 } from "../base/utf8.ts";
import { BodySchema, TextSchema } from "../gen/heddle/message/v1/entry_pb.js";
import { SendRequestSchema } from "../gen/heddle/message/v1/message_service_pb.js";
import { AckSchema, ClientFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { FRAME_BYTES, ID_BYTES, TEXT_BYTES } from "./limits.ts";
import { tagOf } from "./tags.ts";

/**
 * The two frames of which there is one or more per message, read where they stand: each field once, in any order (Go
 * writes the members of a oneof last), nothing beside them, and within every rule of the schema. Whatever is not exactly
 * that is left to the general decoder and its checks (push/doors/client-frames.ts), which know the errors;
 * plain-frames.test.ts holds the two equal, foreign-frames.test.ts for the frames of other languages' libraries.
 *
 * A body is kept as the client wrote it, without decoding and encoding: it counts as plain only if it has the very bytes
 * that this server's encoder would make of it, so that its hash is that of a repeat by any other client.
 */

const FRAME = { send: tagOf(ClientFrameSchema.field.send), ack: tagOf(ClientFrameSchema.field.ack) } as const;
const ACK_UP_TO = tagOf(AckSchema.field.upTo);
const SEND = {
  threadId: tagOf(SendRequestSchema.field.threadId),
  toUserId: tagOf(SendRequestSchema.field.toUserId),
  clientId: tagOf(SendRequestSchema.field.clientId),
  baseSeq: tagOf(SendRequestSchema.field.baseSeq),
  attempt: tagOf(SendRequestSchema.field.attempt),
  logEpoch: tagOf(SendRequestSchema.field.logEpoch),
  body: tagOf(SendRequestSchema.field.body),
} as const;
const BODY_TEXT = tagOf(BodySchema.field.text);
const TEXT_TEXT = tagOf(TextSchema.field.text);

/** More bytes of a varint than that could exceed what a double holds exactly, or a uint32. */
const SEQ_VARINT_BYTES = 7;
const ATTEMPT_VARINT_BYTES = 4;
/** All that a log epoch may have. */
const EPOCH_VARINT_BYTES = 6;

/** As of every length within a frame. */
const LENGTH_VARINT_BYTES = 4;

/** `up_to` of an `ack` that is nothing else; undefined if it is not, or its number is not short. */
export function plainAck(bytes: Uint8Array): number | undefined {
  const reader = new Reader(bytes);
  if (!reader.skip(FRAME.ack) || !reader.frames() || !reader.skip(ACK_UP_TO)) return undefined;
  const upTo = reader.varint(SEQ_VARINT_BYTES);
  return upTo === undefined || !reader.isAtEnd ? undefined : upTo;
}

/** A `send` of a text, checked; undefined if it is not plain. Its ids and body share the frame's bytes. */
export function plainSend(bytes: Uint8Array, userId: string, originSession: string): Send | undefined {
  const reader = new Reader(bytes);
  if (bytes.length > FRAME_BYTES || !reader.skip(FRAME.send) || !reader.frames()) return undefined;
  let threadId: Uint8Array | undefined;
  let toUserId: string | undefined;
  let clientId: Uint8Array | undefined;
  let baseSeq: number | undefined;
  let attempt: number | undefined;
  let logEpoch: number | undefined;
  let body: Uint8Array | undefined;
  while (!reader.isAtEnd) {
    const tag = reader.byte();
    if (tag === SEND.threadId && !threadId) threadId = reader.content(ID_BYTES);
    else if (tag === SEND.toUserId && toUserId === undefined) toUserId = reader.name();
    else if (tag === SEND.clientId && !clientId) clientId = reader.content(ID_BYTES);
    else if (tag === SEND.baseSeq && baseSeq === undefined) baseSeq = reader.varint(SEQ_VARINT_BYTES);
    else if (tag === SEND.attempt && attempt === undefined) attempt = reader.varint(ATTEMPT_VARINT_BYTES);
    else if (tag === SEND.logEpoch && logEpoch === undefined) logEpoch = reader.varint(EPOCH_VARINT_BYTES);
    else if (tag === SEND.body && !body) body = reader.textBody();
    else return undefined; // Unknown, twice, or behind something that was not as expected.
  }
  if (!clientId || !body || (threadId === undefined) === (toUserId === undefined)) return undefined;
  return {
    userId,
    threadId,
    toUserId: toUserId ?? "",
    clientId,
    baseSeq: baseSeq ?? 0,
    logEpoch: logEpoch ?? 0,
    attempt: attempt ?? 0,
    body,
    originSession,
  };
}

/** Reads forward. Once something is not as expected it stands behind the end, and nothing that is read after it is. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next byte. */
  byte(): number | undefined {
    return this.#bytes[this.#at++];
  }

  /** Steps over the byte if it is the next one. */
  skip(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  /** Reads a length; true if it is that of all the rest up to `end`. */
  frames(end = this.#bytes.length): boolean {
    const length = this.varint(LENGTH_VARINT_BYTES);
    return length === end - this.#at;
  }

  /** A varint of at most so many bytes, written as short as it can be. */
  varint(maxBytes: number): number | undefined {
    let value = 0;
    let unit = 1;
    for (let count = 0; count < maxBytes; count++, unit *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return byte === 0 && count > 0 ? this.#fail() : value;
    }
    return this.#fail();
  }

  /** Length and content of a field that must have so many bytes, at most 127. */
  content(length: number): Uint8Array | undefined {
    const from = this.#at + 1;
    if (this.#bytes[this.#at] !== length || from + length > this.#bytes.length) return this.#fail();
    this.#at = from + length;
    return this.#bytes.subarray(from, this.#at);
  }

  /** Length and content of a field that must be a user_id. */
  name(): string | undefined {
    const length = this.varint(LENGTH_VARINT_BYTES) ?? 0;
    const from = this.#at;
    this.#at += length;
    if (length > USER_ID_BYTES || this.#at > this.#bytes.length) return this.#fail();
    const name = String.fromCharCode(...this.#bytes.subarray(from, this.#at));
    return USER_ID_PATTERN.test(name) ? name : this.#fail();
  }

  /** Length and content of a field that must be a body with a text; the content is the body, encoded. */
  textBody(): Uint8Array | undefined {
    const length = this.varint(LENGTH_VARINT_BYTES) ?? 0;
    const from = this.#at;
    const end = from + length;
    if (end > this.#bytes.length) return this.#fail();
    if (!this.skip(BODY_TEXT) || !this.frames(end) || !this.skip(TEXT_TEXT) || !this.frames(end)) {
      return this.#fail();
    }
    const text = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    const isGood = text.length > 0 && text.length <= TEXT_BYTES && isWellFormedUtf8(text);
    return isGood ? this.#bytes.subarray(from, end) : this.#fail();
  }

  #fail(): undefined {
    this.#at = this.#bytes.length + 1;
  }
}
