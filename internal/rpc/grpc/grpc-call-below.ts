import type { ServerHttp2Stream } from "node:http2";

/*
 * What stands below a streaming call of grpc-js, which keeps it private. By its own way every message costs a turn
 * through an object stream, a promise, a copy, and a pause of the HTTP/2 stream: a quarter of what a durable message
 * takes. Where grpc-js is not made as we know it, its own way is taken.
 */

/** How a call takes in data. */
export interface CallBelow {
  /** Called by grpc-js with each chunk. Replaceable. */
  handleDataFrame: (chunk: Buffer) => void;
  /** In bytes; -1: no bound. */
  readonly maxReceiveMessageSize: number;
  sendStatus(status: { code: number; details: string; metadata: null }): void;
}

interface PrivateCall extends CallBelow {
  readonly stream: ServerHttp2Stream;
  readonly incomingEncoding: string;
  readonly readQueue: readonly unknown[];
}

/** The HTTP/2 stream below a call; also the only way to reset one. */
export function http2StreamOf(stream: object): ServerHttp2Stream | undefined {
  const { call } = stream as { call?: Partial<PrivateCall> };
  return typeof call?.stream?.close === "function" ? call.stream : undefined;
}

/** The call below a stream from which nothing was read; undefined if messages may be compressed. */
export function callBelow(stream: object): CallBelow | undefined {
  const { call } = stream as { call?: Partial<PrivateCall> };
  const isKnown =
    typeof call?.stream?.close === "function" &&
    typeof call.handleDataFrame === "function" &&
    typeof call.sendStatus === "function" &&
    typeof call.maxReceiveMessageSize === "number" &&
    call.readQueue?.length === 0;
  return isKnown && call.incomingEncoding === "identity" ? (call as CallBelow) : undefined;
}
