import type { ServerResponse } from "node:http";
import type { Clock } from "../../base/clock.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import type { ByteStream } from "../calls/byte-stream.ts";
import { LINGER_MS } from "../calls/call-deadline.ts";
import type { StreamReports } from "../calls/call-runner.ts";
import type { Call } from "../calls/handlers.ts";
import { StreamState } from "../calls/stream-state.ts";
import { HIGH_WATER_BYTES } from "../calls/unwritten-bytes.ts";
import { connectError } from "./web-error.ts";

/** The server's half of a stream over Connect or gRPC-Web: handlers write, connect-node iterates. */
export class WebByteStream implements ByteStream, AsyncIterable<Uint8Array> {
  readonly call: Call;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #reports: StreamReports;
  readonly #queue: Uint8Array[] = [];
  /** Bytes in the queue, and those of the message that connect-node has taken and not yet written. */
  #queuedBytes = 0;
  #takenBytes = 0;
  #held = false;
  readonly #state = new StreamState((error) => this.fail(error));
  #error: HeddleError | undefined;
  #wake: () => void = () => {};
  #onDrain: () => void = () => {};

  /** `reports` is told once how the server ended the stream, and each time what its handler threw. */
  constructor(response: ServerResponse, call: Call, clock: Clock, reports: StreamReports) {
    this.#reports = reports;
    this.#response = response;
    this.call = call;
    this.#clock = clock;
    response.once("close", () => this.#close());
    if (response.closed) queueMicrotask(() => this.#close());
  }

  get bufferedBytes(): number {
    if (this.#state.isClosed) return 0;
    return this.#queuedBytes + this.#takenBytes + (this.#response.socket?.writableLength ?? 0);
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#state.isOpen) return true;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes + this.#takenBytes > HIGH_WATER_BYTES) this.#held = true;
    this.#wake();
    return !this.#held;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = this.#state.guarded(callback);
  }

  onMessage(): void {} // The client's half does not exist here: it is Submit.
  onHalfClose(): void {}
  pause(): void {}
  resume(): void {}

  onClose(callback: () => void): void {
    this.#state.onClose(callback);
  }

  end(error?: HeddleError): void {
    if (!this.#state.end()) return;
    this.#reports.ended(error);
    this.#error = error;
    this.#wake();
    const cancel = this.#clock.after(LINGER_MS, () => this.#response.destroy());
    this.#response.once("close", cancel);
  }

  fail(error: unknown): void {
    this.end(this.#reports.thrown(error));
  }

  /** Each message in order; then the error, if the stream ended with one. connect-node asks when it has written. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    while (!this.#state.isClosed) {
      const next = this.#queue.shift();
      if (next) {
        this.#queuedBytes -= next.length;
        this.#takenBytes = next.length;
        yield next;
        this.#takenBytes = 0;
      } else if (!this.#state.isOpen) {
        if (this.#error) throw connectError(this.#error);
        return;
      } else {
        this.#drained();
        await this.#awake();
      }
    }
  }

  /** Resolves at the next write or end; at once if there is one since the queue was looked at. */
  #awake(): Promise<void> {
    if (this.#queue.length > 0 || !this.#state.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #drained(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#onDrain();
  }

  #close(): void {
    this.#state.close(() => {
      this.#queue.length = 0;
      this.#queuedBytes = 0;
      this.#wake();
    });
  }
}
