import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, connectivityState, Metadata } from "@grpc/grpc-js";
import type { CallOptions, Stream, StreamOptions, Transport, UnaryMethod } from "../transport/transport.ts";
import { channelTo } from "./channel.ts";
import { fromStatus } from "./errors.ts";
import { GrpcStream } from "./stream.ts";

/** What grpcTransport needs to know of the server. */
export interface GrpcTransportOptions {
  /** Where the gateway and the unary services are: `http://host:port`, or `https://…`. */
  readonly url: string;
  /** PEM of the certificate authority, where it is not a public one. */
  readonly ca?: Uint8Array;
}

/**
 * Connections kept: the gateway's, and those of push servers, of which there are two while a session moves. One that is
 * let go is dialled anew when it is asked for.
 */
const KEPT_CLIENTS = 4;

/**
 * Node's way to the server: native gRPC. One bidirectional stream per session, unary calls beside it. grpc-js's own
 * retries are off: who repeats a send must count its attempts (docs/design.md, section 4).
 */
export function grpcTransport(options: GrpcTransportOptions): Transport {
  return new GrpcTransport(options);
}

class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #clients = new Map<string, Client>();

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    { token, timeoutMs, signal }: CallOptions,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const call = this.#client(this.#options.url).makeUnaryRequest<Uint8Array, Uint8Array>(
        // As bytes: grpc-js needs no generated client then, and one call serves every method.
        `/${method.parent.typeName}/${method.name}`,
        (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        (bytes) => bytes,
        toBinary(method.input, create(method.input, request)),
        bearer(token),
        { deadline: Date.now() + timeoutMs },
        (error, bytes) => {
          signal?.removeEventListener("abort", abort);
          if (error || !bytes) reject(error ? fromStatus(error, error) : new TypeError("no answer"));
          else resolve(fromBinary(method.output, bytes));
        },
      );
      // Settles the call with CANCELLED through the callback above, so the promise is settled in one place.
      const abort = () => call.cancel();
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  open(options: StreamOptions): Stream {
    return new GrpcStream(this.#client(options.permit.grpcUrl), bearer(options.permit.ticket), options);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  /**
   * One connection per address; the least recently asked for goes. One that failed is not waited for: grpc-js would
   * answer with the old failure until its own wait is over, but when to try is this library's to say.
   */
  #client(url: string): Client {
    let known = this.#clients.get(url);
    this.#clients.delete(url);
    if (known?.getChannel().getConnectivityState(false) === connectivityState.TRANSIENT_FAILURE) {
      known.close();
      known = undefined;
    }
    const client = known ?? this.#dial(url);
    this.#clients.set(url, client);
    if (this.#clients.size > KEPT_CLIENTS) {
      // The gateway's own connection is never the one that goes: every unary call uses it.
      const [oldest = ""] = [...this.#clients.keys()].filter((key) => key !== this.#options.url);
      this.#clients.get(oldest)?.close();
      this.#clients.delete(oldest);
    }
    return client;
  }

  #dial(url: string): Client {
    const { address, credentials, options } = channelTo(url, this.#options.ca);
    return new Client(address, credentials, { ...CHANNEL, ...options });
  }
}

/** How connections behave. Sizes in bytes, times in ms. */
const CHANNEL = {
  "grpc.enable_retries": 0,
  // Else a fresh connection would share the failed one's wait.
  "grpc.use_local_subchannel_pool": 1,
  // A path that died in silence (a laptop that slept, a NAT that forgot) is noticed within 30 s without a call on it.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // A page of 200 entries of 32,768 bytes each is 6.6 MB; grpc-js would refuse more than 4 MiB.
  "grpc.max_receive_message_length": 8 * 1024 * 1024,
};

function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}
