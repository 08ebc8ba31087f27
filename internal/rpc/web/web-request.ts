import type { IncomingMessage } from "node:http";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { decodeBinary, decodeJson, frameTooLarge, malformed } from "../calls/request-decoding.ts";
import { BodyTooLarge, readBody } from "./bounded-body.ts";
import { connectError } from "./web-error.ts";

const ENVELOPE_BYTES = 5;

/**
 * The body of a Connect or gRPC-Web request, read whole (it is one message, there are no client streams) and looked
 * at before connect-es sees it, because the errors that connect-es makes itself cannot carry our ErrorInfo. Throws
 * ConnectError with FRAME_TOO_LARGE or MALFORMED. The second decoding costs 1 µs of about 300 for such a call.
 * Compressed requests are not taken: nothing a client says is large.
 */
export async function* checkedBody(
  method: DescMethod,
  request: IncomingMessage,
  maxMessageBytes: number,
): AsyncGenerator<Uint8Array> {
  const type = bodyType(request);
  const bytes = await readMessage(
    request,
    maxMessageBytes + (type.enveloped ? ENVELOPE_BYTES : 0),
    maxMessageBytes,
  );
  try {
    const message = type.enveloped ? openEnvelope(method, bytes) : bytes;
    if (type.json) decodeJson(method.input, message);
    else decodeBinary(method.input, message);
  } catch (error) {
    throw error instanceof ConnectError ? error : connectError(error as ReturnType<typeof malformed>);
  }
  yield bytes;
}

async function readMessage(
  request: IncomingMessage,
  limitBytes: number,
  shownLimit: number,
): Promise<Buffer> {
  try {
    return await readBody(request, limitBytes);
  } catch (error) {
    if (error instanceof BodyTooLarge) throw connectError(frameTooLarge(shownLimit));
    throw error;
  }
}

function bodyType(request: IncomingMessage): { readonly json: boolean; readonly enveloped: boolean } {
  const type = request.headers["content-type"] ?? "";
  return { json: /\bjson\b/.test(type), enveloped: /^application\/(connect\+|grpc)/.test(type) };
}

/** Flags, length, message: exactly one, not compressed. */
function openEnvelope(method: DescMethod, bytes: Buffer): Uint8Array {
  if (bytes.length < ENVELOPE_BYTES || bytes.readUInt32BE(1) !== bytes.length - ENVELOPE_BYTES) {
    throw malformed(method.input.typeName);
  }
  if (bytes[0] !== 0) throw new ConnectError("compressed requests are not taken", Code.Unimplemented);
  return bytes.subarray(ENVELOPE_BYTES);
}
