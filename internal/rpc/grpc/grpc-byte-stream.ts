import { constants, type ServerHttp2Stream } from "node:http2";
import { type ServerDuplexStream, type ServerWritableStream, status } from "@grpc/grpc-js";
import type { Clock } from "../../base/clock.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import type { ByteStream } from "../calls/byte-stream.ts";
import { LINGER_MS } from "../calls/call-deadline.ts";
import type { StreamReports } from "../calls/call-runner.ts";
import type { Call } from "../calls/handlers.ts";
import { StreamState } from "../calls/stream-state.ts";
import { UnwrittenBytes } from "../calls/unwritten-bytes.ts";
import { type CallBelow, callBelow, http2StreamOf } from "./grpc-call-below.ts";
import { framed, MessageSplitter } from "./grpc-framing.ts";
import { grpcStatus } from "./grpc-status.ts";

type GrpcStream = ServerDuplexStream<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

/** A stream of grpc-js, bidirectional or the server's half. */
export class GrpcByteStream implements ByteStream {
  readonly call: Call;
  readonly #stream: GrpcStream;
  /** Where messages go past grpc-js's own streams. */
  readonly #http2: ServerHttp2Stream | undefined;
  readonly #below: CallBelow | undefined;
  #splitter: MessageSplitter | undefined;
  readonly #clock: Clock;
  readonly #reports: StreamReports;
  readonly #unwritten = new UnwrittenBytes();
  readonly #state = new StreamState((error) => this.fail(error));
  #onDrain: () => void = () => {};

  /** `reports` is told once how the server ended the stream, and each time what its handler threw. */
  constructor(stream: GrpcStream, call: Call, clock: Clock, reports: StreamReports) {
    this.#reports = reports;
    this.#stream = stream;
    this.#http2 = http2StreamOf(stream);
    this.#below = callBelow(stream);
    this.call = call;
    this.#clock = clock;
    stream.once("cancelled", () => this.#close()); // grpc-js says so however a call ends.
  }

  get bufferedBytes(): number {
    return this.#unwritten.bytes;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#state.isOpen) return true;
    const mayGoOn = this.#unwritten.add(bytes.length);
    this.#send(bytes);
    return mayGoOn;
  }

  #send(bytes: Uint8Array): void {
    const below = this.#http2;
    if (!below) {
      this.#stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), this.#written);
    } else if (!below.writableEnded && !below.destroyed) below.write(framed(bytes), this.#written);
  }

  readonly #written = (): void => {
    if (this.#unwritten.left() && this.#state.isOpen) this.#onDrain();
  };

  onDrain(callback: () => void): void {
    this.#onDrain = this.#state.guarded(callback);
  }

  onMessage(callback: (bytes: Uint8Array) => void): void {
    const onMessage = this.#state.guarded((bytes: Buffer) => {
      if (this.#state.isOpen) callback(bytes);
    });
    const below = this.#below;
    if (!below) {
      this.#readable?.on("data", onMessage);
      return;
    }
    const splitter = new MessageSplitter(below.maxReceiveMessageSize, onMessage, () =>
      below.sendStatus({
        code: status.RESOURCE_EXHAUSTED,
        details: "the message is too large",
        metadata: null,
      }),
    );
    below.handleDataFrame = (chunk) => splitter.push(chunk);
    this.#splitter = splitter;
    this.#readable?.resume(); // For its end; its data go past it.
  }

  pause(): void {
    if (this.#splitter) {
      this.#splitter.hold();
      this.#http2?.pause();
    } else this.#readable?.pause();
  }

  resume(): void {
    if (!this.#state.isOpen) return;
    if (!this.#splitter) this.#readable?.resume();
    else if (this.#splitter.release()) this.#http2?.resume();
  }

  onHalfClose(callback: () => void): void {
    const onEnd = this.#state.guarded(callback);
    this.#readable?.once("end", () => {
      if (this.#state.isOpen) onEnd();
    });
  }

  onClose(callback: () => void): void {
    this.#state.onClose(callback);
  }

  end(error?: HeddleError): void {
    if (!this.#state.end()) return;
    this.#reports.ended(error);
    // The stream's own "error" listener turns this into the status, after what was written.
    if (error) this.#stream.emit("error", grpcStatus(error));
    else this.#stream.end();
    this.#resetIfStuck();
  }

  fail(error: unknown): void {
    this.end(this.#reports.thrown(error));
  }

  /** A client that does not read never lets the status out, and would keep the stream for ever. */
  #resetIfStuck(): void {
    const below = this.#http2;
    if (!below) return;
    const cancel = this.#clock.after(LINGER_MS, () => below.close(constants.NGHTTP2_CANCEL));
    below.once("close", cancel);
  }

  get #readable(): ServerDuplexStream<Buffer, Buffer> | undefined {
    return "read" in this.#stream ? this.#stream : undefined;
  }

  #close(): void {
    this.#state.close(() => this.#unwritten.clear());
  }
}
