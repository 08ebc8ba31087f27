import { create, type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";

/**
 * A message whose binary form is `bytes`, without decoding them: everything is one "unknown field" that begins with
 * the first field's tag and runs to the end, and protobuf-es writes unknown fields as they are. Its JSON form would
 * be empty: use `decodedMessage` for that.
 */
export function encodedMessage(schema: DescMessage, bytes: Uint8Array): Message {
  return withEncoded(create(schema), bytes);
}

/** The message, with more of its fields, encoded: as in encodedMessage. Changes the message. */
export function withEncoded<M extends Message>(message: M, bytes: Uint8Array): M {
  if (bytes.length === 0) return message;
  const reader = new BinaryReader(bytes);
  const [no, wireType] = reader.tag();
  message.$unknown = [{ no, wireType, data: bytes.subarray(reader.pos) }];
  return message;
}

/** The message with nothing in it encoded any more. */
export function allDecoded<M extends Message>(schema: DescMessage, message: M): Message {
  return message.$unknown ? decodedMessage(schema, toBinary(schema, message)) : message;
}

/** The message that the bytes are. */
export function decodedMessage(schema: DescMessage, bytes: Uint8Array): Message {
  return fromBinary(schema, bytes);
}
