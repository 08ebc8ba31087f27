import { constants, type ServerHttp2Stream } from "node:http2";
import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import type { Clock } from "../base/clock.ts";
import type { HeddleError } from "../base/heddle-error.ts";
import type { ByteStream } from "./byte-stream.ts";
import { LINGER_MS } from "./call-deadline.ts";
import { grpcStatus } from "./grpc-status.ts";
import type { Call } from "./handlers.ts";

/** Bytes below the session's own queue at which `write` says stop: enough for one turn of the event loop. */
const HIGH_WATER_BYTES = 16 * 1024;

type GrpcStream = ServerDuplexStream<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

/** A stream of grpc-js, bidirectional or the server's half. */
export class GrpcByteStream implements ByteStream {
  readonly call: Call;
  readonly #stream: GrpcStream;
  readonly #clock: Clock;
  readonly #ended: (error?: HeddleError) => void;
  /** Sizes of the writes that the socket has not taken, in order: one shared callback, no closure per write. */
  readonly #pending: number[] = [];
  #bufferedBytes = 0;
  #held = false;
  #state: "open" | "ended" | "closed" = "open";
  #onDrain: () => void = () => {};
  readonly #onClose: (() => void)[] = [];

  /** `ended` is told once, when the server ends the stream, with what. */
  constructor(stream: GrpcStream, call: Call, clock: Clock, ended: (error?: HeddleError) => void) {
    this.#ended = ended;
    this.#stream = stream;
    this.call = call;
    this.#clock = clock;
    stream.once("cancelled", () => this.#close()); // grpc-js says so however a call ends.
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return true;
    this.#pending.push(bytes.length);
    this.#bufferedBytes += bytes.length;
    this.#stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), this.#written);
    if (this.#bufferedBytes > HIGH_WATER_BYTES) this.#held = true;
    return !this.#held;
  }

  readonly #written = (): void => {
    this.#bufferedBytes -= this.#pending.shift() ?? 0;
    if (!this.#held || this.#bufferedBytes > 0 || this.#state !== "open") return;
    this.#held = false;
    this.#onDrain();
  };

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  onMessage(callback: (bytes: Uint8Array) => void): void {
    this.#readable?.on("data", (bytes: Buffer) => {
      if (this.#state === "open") callback(bytes);
    });
  }

  pause(): void {
    this.#readable?.pause();
  }

  resume(): void {
    if (this.#state === "open") this.#readable?.resume();
  }

  onHalfClose(callback: () => void): void {
    this.#readable?.once("end", () => {
      if (this.#state === "open") callback();
    });
  }

  onClose(callback: () => void): void {
    if (this.#state === "closed") queueMicrotask(callback);
    else this.#onClose.push(callback);
  }

  end(error?: HeddleError): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#ended(error);
    // The stream's own "error" listener turns this into the status, after what was written.
    if (error) this.#stream.emit("error", grpcStatus(error));
    else this.#stream.end();
    this.#resetIfStuck();
  }

  /** A client that does not read never lets the status out, and would keep the stream for ever. */
  #resetIfStuck(): void {
    const below = http2StreamOf(this.#stream);
    if (!below) return;
    const cancel = this.#clock.after(LINGER_MS, () => below.close(constants.NGHTTP2_CANCEL));
    below.once("close", cancel);
  }

  get #readable(): ServerDuplexStream<Buffer, Buffer> | undefined {
    return "read" in this.#stream ? this.#stream : undefined;
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#pending.length = 0;
    this.#bufferedBytes = 0;
    for (const callback of this.#onClose.splice(0)) callback();
  }
}

/** The HTTP/2 stream below a call. grpc-js keeps it private and has no other way to reset one stream. */
function http2StreamOf(stream: object): ServerHttp2Stream | undefined {
  const call = (stream as { call?: { stream?: ServerHttp2Stream } }).call;
  return typeof call?.stream?.close === "function" ? call.stream : undefined;
}
