import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { ClientFrame, ServerFrame } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { SubmitResponse_Outcome } from "../../internal/gen/heddle/push/v1/push_service_pb.js";

/** How a unary call is made. */
export interface CallOptions {
  /** The bearer credential. */
  readonly token: string;
  /** The deadline, in milliseconds. Every call has one. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A permit for one session on one push server, as the gateway gave it. */
export interface Permit {
  readonly ticket: string;
  readonly grpcUrl: string;
  readonly webUrl: string;
  readonly expiresAtMs: number;
}

/** What a stream is opened with. */
export interface StreamOptions {
  readonly permit: Permit;
  readonly deviceId: string;
  /** Of the last `caught_up`; empty for all threads. */
  readonly cursor: Uint8Array;
  readonly signal: AbortSignal;
  /** Gets a fresh ticket for the session, for transports that need one within its life (docs/design.md, section 4). */
  renew(sessionId: Uint8Array): Promise<{ readonly ticket: string; readonly expiresAtMs: number }>;
}

/** One client stream. Iterating gives what the server says; it throws HeddleError when the stream ends with one. */
export interface Stream extends AsyncIterable<ServerFrame> {
  /**
   * Says a frame, in order. Resolves with its outcome where the transport brings it back with the call (Submit), and
   * with undefined where the outcome, if any, comes on the stream (Connect). Rejects with HeddleError if the frame
   * may not have arrived.
   */
  say(frame: ClientFrame): Promise<SubmitResponse_Outcome | undefined>;
  /** Ends the stream at once. */
  close(): void;
}

/** Any unary method of the generated services. */
export type UnaryMethod<I extends DescMessage, O extends DescMessage> = DescMethodUnary<I, O>;

/**
 * How the client reaches the server: client/grpc (Node, one bidirectional stream) or client/web (browsers). Errors
 * are HeddleError, with the reason of our ErrorInfo, or ERROR_REASON_UNSPECIFIED for a status without it.
 */
export interface Transport {
  /** Makes a unary call. */
  call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>>;
  /** Opens a stream on the push server that the permit names. Does not wait for an answer. */
  open(options: StreamOptions): Stream;
  /** Lets go of connections. */
  close(): void;
}
