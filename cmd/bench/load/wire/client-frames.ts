import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { SendRequestSchema } from "../../../../internal/gen/heddle/message/v1/message_service_pb.js";
import { AckSchema, ClientFrameSchema } from "../../../../internal/gen/heddle/push/v1/frame_pb.js";
import {
  lengthDelimitedBytes,
  varintBytes,
  writeBytesField,
  writeLength,
  writeVarintField,
} from "../../../../internal/wire/fields.ts";
import { tagOf } from "../../../../internal/wire/tags.ts";
import { framed, PREFIX_BYTES, writePrefix } from "./grpc-framing.ts";

/** Tags of the fields that are written by hand. */
const FRAME = { send: tagOf(ClientFrameSchema.field.send), ack: tagOf(ClientFrameSchema.field.ack) } as const;
const ACK_UP_TO = tagOf(AckSchema.field.upTo);
const SEND = {
  threadId: tagOf(SendRequestSchema.field.threadId),
  clientId: tagOf(SendRequestSchema.field.clientId),
  baseSeq: tagOf(SendRequestSchema.field.baseSeq),
} as const;

/** A ClientFrame by way of the schema, with gRPC's five bytes: for what is said seldom. */
export function clientFrame(kind: MessageInitShape<typeof ClientFrameSchema>["kind"]): Buffer {
  return framed(toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as never)));
}

/** `attempt` = 1 and the body with a text: the part of a send that all of a load's sends share. */
export function sendTail(text: string): Buffer {
  const body = { kind: { case: "text" as const, value: { text } } };
  return Buffer.from(toBinary(SendRequestSchema, create(SendRequestSchema, { attempt: 1, body })));
}

/** A send to a thread, by hand, with gRPC's five bytes. */
export function sendFrame(threadId: Uint8Array, clientId: Uint8Array, baseSeq: number, tail: Buffer): Buffer {
  const seqBytes = baseSeq > 0 ? 1 + varintBytes(baseSeq) : 0;
  const ids = lengthDelimitedBytes(threadId.length) + lengthDelimitedBytes(clientId.length);
  const inner = ids + seqBytes + tail.length;
  const outer = lengthDelimitedBytes(inner);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + outer);
  writePrefix(bytes, outer);
  let at = writeLength(bytes, PREFIX_BYTES, FRAME.send, inner);
  at = writeBytesField(bytes, at, SEND.threadId, threadId);
  at = writeBytesField(bytes, at, SEND.clientId, clientId);
  if (baseSeq > 0) at = writeVarintField(bytes, at, SEND.baseSeq, baseSeq);
  bytes.set(tail, at);
  return bytes;
}

/** An ack, by hand, with gRPC's five bytes. */
export function ackFrame(upTo: number): Buffer {
  const inner = 1 + varintBytes(upTo);
  const outer = lengthDelimitedBytes(inner);
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + outer);
  writePrefix(bytes, outer);
  writeVarintField(bytes, writeLength(bytes, PREFIX_BYTES, FRAME.ack, inner), ACK_UP_TO, upTo);
  return bytes;
}
