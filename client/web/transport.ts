import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Transport as RpcTransport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { CallOptions, Stream, StreamOptions, Transport, UnaryMethod } from "../transport/transport.ts";
import { fromConnectError } from "./errors.ts";
import { WebStream } from "./stream.ts";

/** Where a browser finds the server. */
export interface WebTransportOptions {
  /** Where the gateway and the unary services are: an origin, `http://host:port`. */
  readonly url: string;
  /** Default: the browser's. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * A browser's way to the server: gRPC-Web, binary. Subscribe is the server's half of a session, Submit the client's
 * (docs/design.md, section 4). Works in Node as well.
 */
export function webTransport(options: WebTransportOptions): Transport {
  const rpc = (baseUrl: string) =>
    createGrpcWebTransport({ baseUrl, ...(options.fetch && { fetch: options.fetch }) });
  return new WebTransport(rpc(options.url), rpc);
}

class WebTransport implements Transport {
  readonly #unary: RpcTransport;
  /** To a push server, which each permit names anew. */
  readonly #rpc: (baseUrl: string) => RpcTransport;

  constructor(unary: RpcTransport, rpc: (baseUrl: string) => RpcTransport) {
    this.#unary = unary;
    this.#rpc = rpc;
  }

  /** Rejects with HeddleError alone. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    { token, timeoutMs, signal }: CallOptions,
  ): Promise<MessageShape<O>> {
    try {
      const header = { authorization: `Bearer ${token}` };
      return (await this.#unary.unary(method, signal, timeoutMs, header, request)).message;
    } catch (thrown) {
      throw fromConnectError(thrown);
    }
  }

  open(options: StreamOptions): Stream {
    return new WebStream(this.#rpc(options.permit.webUrl), options);
  }

  /** The browser has the connections, and closes them itself. */
  close(): void {}
}
