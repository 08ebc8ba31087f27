import type { DescMethod } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import type { Clock } from "../../base/clock.ts";
import { LINGER_MS } from "../calls/call-deadline.ts";
import { HIGH_WATER_BYTES, StreamState } from "../calls/stream-state.ts";
import { FRAME_BYTES } from "./limits.ts";
import type { LinkStream } from "./link-stream.ts";

const CHANNEL = {
  "grpc.enable_retries": 0, // Who repeats a send counts its attempts.
  "grpc.use_local_subchannel_pool": 1, // Else a fresh dial would share a failed one's wait.
  "grpc.max_receive_message_length": FRAME_BYTES,
  "grpc.max_send_message_length": -1,
};

/** Opens the `Link` stream of an internal service at `host:port`, with a connection of its own. */
export function dialGrpc(address: string, link: DescMethod, clock: Clock): LinkStream {
  const client = new Client(address, credentials.createInsecure(), CHANNEL);
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(
    `/${link.parent.typeName}/${link.name}`,
    (bytes) => bytes,
    (bytes) => bytes,
  );
  const half = new DialledStream(stream, clock);
  half.onClose(() => client.close());
  return half;
}

/** The dialling half of a bidirectional stream of grpc-js. */
class DialledStream implements LinkStream {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #clock: Clock;
  readonly #pending: number[] = [];
  #bufferedBytes = 0;
  #wasFull = false;
  readonly #state = new StreamState(() => this.#stream.cancel());
  #onDrain = () => {};

  constructor(stream: ClientDuplexStream<Buffer, Buffer>, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on("error", () => {}); // What it says means nothing here: see onClose.
    stream.once("status", () => this.#state.close(() => {}));
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#state.isOpen) return true;
    this.#pending.push(bytes.length);
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes > HIGH_WATER_BYTES) this.#wasFull = true;
    this.#stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), this.#written);
    return !this.#wasFull;
  }

  readonly #written = (): void => {
    this.#bufferedBytes -= this.#pending.shift() ?? 0;
    if (!this.#wasFull || this.#bufferedBytes > 0 || !this.#state.isOpen) return;
    this.#wasFull = false;
    this.#onDrain();
  };

  onDrain(callback: () => void): void {
    this.#onDrain = this.#state.guarded(callback);
  }

  onMessage(callback: (bytes: Uint8Array) => void): void {
    const onMessage = this.#state.guarded(callback);
    this.#stream.on("data", (bytes: Buffer) => {
      if (this.#state.isOpen) onMessage(bytes);
    });
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (this.#state.isOpen) this.#stream.resume();
  }

  /** The server's end comes as a status, which closes. */
  onHalfClose(): void {}

  onClose(callback: () => void): void {
    this.#state.onClose(callback);
  }

  end(): void {
    if (!this.#state.end()) return;
    this.#stream.end();
    const cancel = this.#clock.after(LINGER_MS, () => this.#stream.cancel());
    this.#state.onClose(cancel);
  }
}
