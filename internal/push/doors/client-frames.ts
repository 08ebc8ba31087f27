import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { Code, ErrorReason, HeddleError, invalidField } from "../../base/heddle-error.ts";
import { MAX_LOG_EPOCH } from "../../base/history.ts";
import { DEVICE_ID_PATTERN, MAX_SEQ, USER_ID_PATTERN } from "../../base/ids.ts";
import type { Send } from "../../base/send.ts";
import type { SendRequest } from "../../gen/heddle/message/v1/message_service_pb.js";
import {
  type ClientFrame,
  ClientFrameSchema,
  type ReceiptFrame,
  type TypingFrame,
  type Watch,
} from "../../gen/heddle/push/v1/frame_pb.js";
import { FRAME_BYTES, ID_BYTES, TEXT_BYTES } from "../../wire/limits.ts";
import { WATCHED_USERS } from "../limits.ts";
import { wrongSession } from "../session/session-errors.ts";

/**
 * What a client says, decoded and checked by hand: this runs once per message, and the schema's rules are few. The
 * limits are those of the schema; client-frames.test.ts compares the two.
 */

const CURSOR_BYTES = 64;
/** Field numbers of the kinds of frame. */
const KINDS: ReadonlySet<number> = new Set(ClientFrameSchema.fields.map(({ number }) => number));

/** A frame that can be acted on: exactly one kind is set. */
export type Said = Extract<ClientFrame["kind"], { case: string }>;

/**
 * Bytes of a stream to a frame. Throws INVALID_ARGUMENT / MALFORMED if they are not exactly one kind of frame in good
 * UTF-8, RESOURCE_EXHAUSTED / FRAME_TOO_LARGE beyond FRAME_BYTES.
 */
export function decodeFrame(bytes: Uint8Array): Said {
  if (bytes.length > FRAME_BYTES) {
    throw new HeddleError(
      Code.RESOURCE_EXHAUSTED,
      ErrorReason.FRAME_TOO_LARGE,
      `a frame may have ${FRAME_BYTES} bytes`,
      { metadata: { limit_bytes: String(FRAME_BYTES) } },
    );
  }
  const { kind } = decoded(bytes);
  if (kind.case === undefined) throw malformed();
  return kind;
}

function decoded(bytes: Uint8Array): ClientFrame {
  try {
    if (kindsIn(bytes) !== 1) throw new RangeError("not exactly one kind");
    return fromBinary(ClientFrameSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw malformed(cause);
  }
}

/** How many kinds stand in the frame. The decoder would take the last of several, and merge equal ones. */
function kindsIn(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let kinds = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (KINDS.has(field) && wireType === WireType.LengthDelimited) kinds++;
    reader.skip(wireType, field);
  }
  return kinds;
}

function malformed(cause?: unknown): HeddleError {
  const text = "the bytes are no heddle.push.v1.ClientFrame with exactly one kind";
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.MALFORMED, text, { cause });
}

/** What is wrong with `open` (or SubscribeRequest): a rule of the schema, or not the device of the ticket. */
export function brokenOpen(
  open: { readonly deviceId: string; readonly cursor: Uint8Array },
  deviceId: string,
): HeddleError | undefined {
  if (!DEVICE_ID_PATTERN.test(open.deviceId)) return invalidField("open.device_id", "string.pattern");
  if (open.cursor.length > CURSOR_BYTES) return invalidField("open.cursor", "bytes.max_len");
  return open.deviceId === deviceId ? undefined : wrongSession("device_id");
}

/** The first rule of the schema that `receipt` breaks. */
export function brokenReceipt(receipt: ReceiptFrame): HeddleError | undefined {
  if (receipt.threadId.length !== ID_BYTES) return invalidField("receipt.thread_id", "bytes.len");
  if (receipt.deliveredSeq > MAX_SEQ) return invalidField("receipt.delivered_seq", "uint64.lte");
  if (receipt.readSeq > MAX_SEQ) return invalidField("receipt.read_seq", "uint64.lte");
  return undefined;
}

/** The first rule of the schema that `watch` breaks. */
export function brokenWatch({ userIds }: Watch): HeddleError | undefined {
  if (userIds.length > WATCHED_USERS) return invalidField("watch.user_ids", "repeated.max_items");
  const isGood = userIds.every((userId) => USER_ID_PATTERN.test(userId));
  return isGood ? undefined : invalidField("watch.user_ids", "string.pattern");
}

/** The rule of the schema that `typing` breaks. */
export function brokenTyping({ threadId }: TypingFrame): HeddleError | undefined {
  return threadId.length === ID_BYTES ? undefined : invalidField("typing.thread_id", "bytes.len");
}

/** The first rule that `send` breaks: of the schema, or that only the server writes a void. */
export function brokenSend(send: SendRequest): HeddleError | undefined {
  const { target, clientId, baseSeq, logEpoch, body } = send;
  if (target.case === undefined) return invalidField("send.target", "required");
  if (target.case === "threadId" && target.value.length !== ID_BYTES) {
    return invalidField("send.thread_id", "bytes.len");
  }
  if (target.case === "toUserId" && !USER_ID_PATTERN.test(target.value)) {
    return invalidField("send.to_user_id", "string.pattern");
  }
  if (clientId.length !== ID_BYTES) return invalidField("send.client_id", "bytes.len");
  if (baseSeq > MAX_SEQ) return invalidField("send.base_seq", "uint64.lte");
  if (logEpoch > MAX_LOG_EPOCH) return invalidField("send.log_epoch", "uint64.lte");
  if (!body) return invalidField("send.body", "required");
  if (body.kind.case === undefined) return invalidField("send.body.kind", "required");
  if (body.kind.case !== "text") return invalidField("send.body", "only the server writes this kind");
  return brokenText(body.kind.value.text);
}

function brokenText(text: string): HeddleError | undefined {
  if (text === "") return invalidField("send.body.text.text", "string.min_bytes");
  if (text.length * 3 <= TEXT_BYTES) return undefined; // No character takes more than 3 bytes a UTF-16 unit.
  const bytes = new TextEncoder().encode(text).length;
  return bytes > TEXT_BYTES ? invalidField("send.body.text.text", "string.max_bytes") : undefined;
}

/** A checked send as the message service takes it. */
export function toSend(request: SendRequest, userId: string, originSession: string): Send {
  const { target, clientId, baseSeq, logEpoch, attempt, body } = request;
  if (!body) throw new TypeError("a send is checked before it is handed on");
  return {
    userId,
    threadId: target.case === "threadId" ? target.value : undefined,
    toUserId: target.case === "toUserId" ? target.value : "",
    clientId,
    baseSeq: Number(baseSeq),
    logEpoch: Number(logEpoch),
    attempt,
    body,
    originSession,
  };
}

/**
 * The refusal of a send that was not handed on: with `committed=never` if this is its first attempt, since then no
 * earlier one can be in the log (docs/design.md, section 4, Outcomes).
 */
export function refusal(send: SendRequest, error: HeddleError): HeddleError {
  return send.attempt === 1 ? error.withCommittedNever() : error;
}
