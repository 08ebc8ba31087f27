import type { HeddleError } from "../../base/heddle-error.ts";
import type { Call } from "./call.ts";

/**
 * The server's half of a stream whose messages are already encoded. One shape for Connect (bidirectional, grpc-js)
 * and Subscribe (server stream, both listeners), so that the session behind it is one (docs/design.md, section 4).
 *
 * Callbacks are set once each (onClose any number of times), in the tick in which the stream is handed over; what
 * arrived before is kept.
 * No method throws, and after the stream has closed all of them do nothing. What a callback throws ends this stream
 * and nothing else; who works for a stream in a later turn (a timer, a promise, a tick) hands what it throws to `fail`.
 */
export interface ByteStream {
  readonly call: Call;
  /**
   * Writes one message. The bytes are not copied and must not change. False: hold until onDrain; what is written
   * all the same is taken, and counts in bufferedBytes.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes written that the client's window has not yet let out of the process, as far as the transport tells. */
  readonly bufferedBytes: number;
  /** Called whenever everything written has left after a `write` that returned false. */
  onDrain(callback: () => void): void;
  /**
   * Called per message of the client. Never on a server stream. The bytes never change, and may be a
   * view of all that was read from a socket: what is kept of them is copied (base/own-bytes.ts).
   */
  onMessage(callback: (bytes: Uint8Array) => void): void;
  /** Stops reading from the client; flow control then holds it. At most one message may still come. */
  pause(): void;
  resume(): void;
  /** Called once when the client says that it will send nothing more. */
  onHalfClose(callback: () => void): void;
  /** Called once when the stream is over, however it ended: end(), the client, or the network. */
  onClose(callback: () => void): void;
  /** Ends the stream after what was written, with a status and its ErrorInfo, or OK. The first call counts. */
  end(error?: HeddleError): void;
  /** Ends the stream by what was thrown: as INTERNAL / FAULT with the request id, logged, unless it is a HeddleError. */
  fail(error: unknown): void;
}
