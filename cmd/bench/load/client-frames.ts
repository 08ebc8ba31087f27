import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ClientFrameSchema } from "../../../internal/gen/heddle/push/v1/frame_pb.js";
import { framed, PREFIX_BYTES, writePrefix } from "./grpc-framing.ts";

/** Tags of the fields that are written by hand (proto/heddle/push/v1/frame.proto, message_service.proto). */
const FRAME_SEND = 0x12;
const FRAME_ACK = 0x22;
const ACK_UP_TO = 0x08;
const SEND_THREAD_ID = 0x0a;
const SEND_CLIENT_ID = 0x1a;
const SEND_BASE_SEQ = 0x20;
const SEND_ATTEMPT = 0x28;
const SEND_BODY = 0x32;
const LENGTH_DELIMITED_1 = 0x0a;

const ID_BYTES = 16;

/** A ClientFrame by way of the schema, with gRPC's five bytes: for what is said seldom. */
export function clientFrame(kind: MessageInitShape<typeof ClientFrameSchema>["kind"]): Buffer {
  return framed(toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as never)));
}

/** `attempt` = 1 and the body with a text: the part of a send that all of a load's sends share. */
export function sendTail(text: string): Buffer {
  const body = nested(LENGTH_DELIMITED_1, nested(LENGTH_DELIMITED_1, Buffer.from(text)));
  return Buffer.concat([Buffer.of(SEND_ATTEMPT, 1), nested(SEND_BODY, body)]);
}

/** A send to a thread, by hand, with gRPC's five bytes. */
export function sendFrame(threadId: Uint8Array, clientId: Uint8Array, baseSeq: number, tail: Buffer): Buffer {
  const seqBytes = baseSeq > 0 ? 1 + varintBytes(baseSeq) : 0;
  const inner = 2 * (2 + ID_BYTES) + seqBytes + tail.length;
  const outer = 1 + varintBytes(inner) + inner;
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + outer);
  writePrefix(bytes, outer);
  bytes[PREFIX_BYTES] = FRAME_SEND;
  let at = writeVarint(bytes, PREFIX_BYTES + 1, inner);
  at = writeId(bytes, at, SEND_THREAD_ID, threadId);
  at = writeId(bytes, at, SEND_CLIENT_ID, clientId);
  if (baseSeq > 0) {
    bytes[at] = SEND_BASE_SEQ;
    at = writeVarint(bytes, at + 1, baseSeq);
  }
  bytes.set(tail, at);
  return bytes;
}

/** An ack, by hand, with gRPC's five bytes. */
export function ackFrame(upTo: number): Buffer {
  const inner = 1 + varintBytes(upTo);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + 2 + inner);
  writePrefix(bytes, 2 + inner);
  bytes[PREFIX_BYTES] = FRAME_ACK;
  bytes[PREFIX_BYTES + 1] = inner;
  bytes[PREFIX_BYTES + 2] = ACK_UP_TO;
  writeVarint(bytes, PREFIX_BYTES + 3, upTo);
  return bytes;
}

function nested(tag: number, content: Buffer): Buffer {
  const head = Buffer.alloc(1 + varintBytes(content.length));
  head[0] = tag;
  writeVarint(head, 1, content.length);
  return Buffer.concat([head, content]);
}

function writeId(bytes: Buffer, at: number, tag: number, id: Uint8Array): number {
  bytes[at] = tag;
  bytes[at + 1] = ID_BYTES;
  bytes.set(id, at + 2);
  return at + 2 + ID_BYTES;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes a whole number from 0 to 2^53 − 1; returns where it ends. */
function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80;
  bytes[at++] = rest;
  return at;
}
