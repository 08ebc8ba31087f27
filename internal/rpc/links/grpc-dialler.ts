import type { DescMethod } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, status } from "@grpc/grpc-js";
import type { Clock } from "../../base/clock.ts";
import { LINGER_MS } from "../calls/call-deadline.ts";
import { StreamState } from "../calls/stream-state.ts";
import { UnwrittenBytes } from "../calls/unwritten-bytes.ts";
import { dialCredentials } from "../grpc/grpc-credentials.ts";
import type { PeerTls } from "../tls/peer-tls.ts";
import { FRAME_BYTES } from "./limits.ts";
import type { LinkStream } from "./link-stream.ts";

const CHANNEL = {
  "grpc.enable_retries": 0, // Who repeats a send counts its attempts.
  "grpc.use_local_subchannel_pool": 1, // Else a fresh dial would share a failed one's wait.
  "grpc.max_receive_message_length": FRAME_BYTES,
  "grpc.max_send_message_length": -1,
};

export interface DialInit {
  readonly clock: Clock;
  /** Of the dialled service's own certificate and ours; without it nothing is encrypted, and any answer is believed. */
  readonly secure?: { readonly tls: PeerTls; readonly service: string };
  /** Told why the stream ended, by the transport's own words, for operators: nobody decides anything by them. */
  readonly ended?: (why: string) => void;
}

/** Opens the `Link` stream of an internal service at `host:port`, with a connection of its own. */
export function dialGrpc(address: string, link: DescMethod, init: DialInit): LinkStream {
  const { clock, secure, ended } = init;
  const client = secure
    ? new Client(address, dialCredentials(secure.tls, secure.service), {
        ...CHANNEL,
        // Said to the server, which has one certificate; an address must not be said.
        "grpc.ssl_target_name_override": secure.service,
        "grpc.default_authority": secure.service,
      })
    : new Client(address, credentials.createInsecure(), CHANNEL);
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(
    `/${link.parent.typeName}/${link.name}`,
    (bytes) => bytes,
    (bytes) => bytes,
  );
  const half = new DialledStream(stream, clock);
  half.onClose(() => client.close());
  if (ended) stream.once("status", ({ code, details }) => code !== status.OK && ended(details));
  return half;
}

/** The dialling half of a bidirectional stream of grpc-js. */
class DialledStream implements LinkStream {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #clock: Clock;
  readonly #unwritten = new UnwrittenBytes();
  readonly #state = new StreamState(() => this.#stream.cancel());
  #onDrain = () => {};

  constructor(stream: ClientDuplexStream<Buffer, Buffer>, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on("error", () => {}); // What it says means nothing here: see onClose.
    stream.once("status", () => this.#state.close(() => this.#unwritten.clear()));
  }

  get bufferedBytes(): number {
    return this.#unwritten.bytes;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#state.isOpen) return true;
    const mayGoOn = this.#unwritten.add(bytes.length);
    this.#stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), this.#written);
    return mayGoOn;
  }

  readonly #written = (): void => {
    if (this.#unwritten.left() && this.#state.isOpen) this.#onDrain();
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
