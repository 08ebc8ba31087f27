import type { IncomingMessage } from "node:http";

/** Bytes beyond the bound that are still read, and dropped, so that the client sees the answer and not a reset. */
const PATIENCE_BYTES = 1024 * 1024;

/** The body is longer than allowed. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/**
 * Reads a request's body. Keeps at most `limitBytes`; a longer one is dropped as it comes and then refused with
 * BodyTooLarge. Rejects with the connection's error if the client goes away.
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length <= limitBytes) chunks.push(chunk as Buffer);
    else chunks.length = 0;
    if (length > limitBytes + PATIENCE_BYTES) break;
  }
  if (length > limitBytes) throw new BodyTooLarge(`a body may have ${limitBytes} bytes`);
  return Buffer.concat(chunks);
}
