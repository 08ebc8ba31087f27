import { NAME_PATTERN } from "../base/ids.ts";
import type { Send } from "../base/send.ts";
import { isWellFormedUtf8 } from "../base/utf8.ts";
import { BodySchema, TextSchema } from "../gen/heddle/message/v1/entry_pb.js";
import { SendRequestSchema } from "../gen/heddle/message/v1/message_service_pb.js";
import { AckSchema, ClientFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { FRAME_BYTES, ID_BYTES, TEXT_BYTES } from "./limits.ts";
import { tagOf } from "./tags.ts";

/**
 * The two frames of which there is one or more per message, read where they stand: as clients write them, fields in
 * order, nothing beside them, and within every rule of the schema. Whatever is not exactly that is left to the general
 * decoder and its checks (push/doors/client-frames.ts), which know the errors; plain-frames.test.ts holds the two equal.
 */

/** Tags, in the order in which they may stand. */
const FRAME = { send: tagOf(ClientFrameSchema.field.send), ack: tagOf(ClientFrameSchema.field.ack) } as const;
const ACK_UP_TO = tagOf(AckSchema.field.upTo);
const SEND = {
  threadId: tagOf(SendRequestSchema.field.threadId),
  toUserId: tagOf(SendRequestSchema.field.toUserId),
  clientId: tagOf(SendRequestSchema.field.clientId),
  baseSeq: tagOf(SendRequestSchema.field.baseSeq),
  attempt: tagOf(SendRequestSchema.field.attempt),
  body: tagOf(SendRequestSchema.field.body),
} as const;
const BODY_TEXT = tagOf(BodySchema.field.text);
const TEXT_TEXT = tagOf(TextSchema.field.text);

/** More bytes of a varint than that could exceed what a double holds exactly, or a uint32. */
const SEQ_VARINT_BYTES = 7;
const ATTEMPT_VARINT_BYTES = 4;

/** The longest name whose length is surely one byte of varint. */
const NAME_BYTES = 64;

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
  const threadId = reader.skip(SEND.threadId) ? reader.content(ID_BYTES) : undefined;
  const toUserId = !threadId && reader.skip(SEND.toUserId) ? (reader.name() ?? "") : "";
  const clientId = reader.skip(SEND.clientId) ? reader.content(ID_BYTES) : undefined;
  const baseSeq = reader.skip(SEND.baseSeq) ? reader.varint(SEQ_VARINT_BYTES) : 0;
  const attempt = reader.skip(SEND.attempt) ? reader.varint(ATTEMPT_VARINT_BYTES) : 0;
  const body = reader.skip(SEND.body) ? reader.textBody() : undefined;
  if (!threadId && !toUserId) return undefined;
  if (!clientId || !body || baseSeq === undefined || attempt === undefined) return undefined;
  return { userId, threadId, toUserId, clientId, baseSeq, attempt, body, originSession };
}

/** Reads forward. Once something is not as expected, nothing that is read after it is. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Steps over the byte if it is the next one. */
  skip(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  /** Reads a length; true if it is that of all the rest. */
  frames(): boolean {
    const length = this.varint(ATTEMPT_VARINT_BYTES);
    return length === this.#bytes.length - this.#at;
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

  /** Length and content of a field that must be a name. */
  name(): string | undefined {
    const length = this.#bytes[this.#at] ?? 0;
    const content = length <= NAME_BYTES ? this.content(length) : undefined;
    const name = content ? String.fromCharCode(...content) : "";
    return NAME_PATTERN.test(name) ? name : this.#fail();
  }

  /** Length and content of the last field, which must be a body with a text; the content is the body, encoded. */
  textBody(): Uint8Array | undefined {
    if (!this.frames()) return undefined;
    const from = this.#at;
    if (!this.skip(BODY_TEXT) || !this.frames() || !this.skip(TEXT_TEXT) || !this.frames()) return undefined;
    const text = this.#bytes.subarray(this.#at);
    const isGood = text.length > 0 && text.length <= TEXT_BYTES && isWellFormedUtf8(text);
    return isGood ? this.#bytes.subarray(from) : undefined;
  }

  #fail(): undefined {
    this.#at = this.#bytes.length + 1;
  }
}
