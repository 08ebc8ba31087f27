import {
  type DescMessage,
  fromBinary,
  fromJsonString,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes to a message. Throws INVALID_ARGUMENT / MALFORMED if they are not one, or a string in it is not UTF-8
 * (protobuf-es checks that for proto3 fields). Fields that are not in the schema are dropped.
 */
export function decodeBinary<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw malformed(schema.typeName, cause);
  }
}

/**
 * Protobuf JSON to a message. Throws MALFORMED as above, and for a string that UTF-8 cannot express (a lone
 * surrogate). Fields that are not in the schema are ignored.
 */
export function decodeJson<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    const message = fromJsonString(schema, strictUtf8.decode(bytes), { ignoreUnknownFields: true });
    toBinary(schema, message); // Throws where a string has no UTF-8.
    return message;
  } catch (cause) {
    throw malformed(schema.typeName, cause);
  }
}

/** INVALID_ARGUMENT / MALFORMED. The cause names a position or a field and never content. */
export function malformed(typeName: string, cause?: unknown): HeddleError {
  const text = `the bytes are no ${typeName}`;
  return new HeddleError(Code.INVALID_ARGUMENT, ErrorReason.MALFORMED, text, { cause });
}

/** RESOURCE_EXHAUSTED / FRAME_TOO_LARGE. */
export function frameTooLarge(limitBytes: number): HeddleError {
  return new HeddleError(
    Code.RESOURCE_EXHAUSTED,
    ErrorReason.FRAME_TOO_LARGE,
    `a message may have ${limitBytes} bytes`,
    { metadata: { limit_bytes: String(limitBytes) } },
  );
}

/**
 * The largest message a client may send, in bytes (docs/design.md, section 12): AddMembers of 256 users of 255
 * characters has 66 KiB. A frame of a stream may have less: the push server says so.
 */
export const MAX_MESSAGE_BYTES = 128 * 1024;
