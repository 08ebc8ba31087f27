import {
  type Client,
  type ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { fromConnectError } from "../../../client/web/errors.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import { PushService } from "../../gen/heddle/push/v1/push_service_pb.js";

export const PROTOCOLS = ["grpc", "grpc-web", "connect"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

const TRANSPORTS = {
  grpc: createGrpcTransport,
  "grpc-web": createGrpcWebTransport,
  connect: createConnectTransport,
};

/** A client of the edge by one of the three protocols, over one HTTP/2 connection. */
export class EdgeClient {
  readonly transport: Transport;
  readonly push: Client<typeof PushService>;
  readonly #connection: Http2SessionManager;

  /** `headers` go with every call. `localAddress`: where it dials from. */
  constructor(
    edge: { readonly url: string; readonly ca: Buffer },
    protocol: Protocol,
    headers: Readonly<Record<string, string>> = {},
    localAddress = "127.0.0.1",
  ) {
    const socket = { ca: edge.ca, localAddress }; // TLS takes it, though the types of HTTP/2 do not know it.
    this.#connection = new Http2SessionManager(edge.url, {}, socket);
    const adds: Interceptor = (next) => (request) => {
      for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
      return next(request);
    };
    this.transport = TRANSPORTS[protocol]({
      baseUrl: edge.url,
      httpVersion: "2",
      sessionManager: this.#connection,
      interceptors: [adds],
    });
    this.push = createClient(PushService, this.transport);
  }

  /** Opens a Subscribe. Resolves with the name of the server that answers, and what ends the stream when it is called. */
  async subscribe(): Promise<Subscribed> {
    const abort = new AbortController();
    const frames = this.push
      .subscribe({ deviceId: "phone" }, { signal: abort.signal })
      [Symbol.asyncIterator]();
    try {
      const { value, done } = await frames.next();
      if (done) throw new Error("the stream ended without a word");
      const first = value.events[0]?.kind;
      const name = first?.case === "opened" ? first.value.userId : "";
      const rest = async () => {
        while (!(await frames.next()).done);
      };
      return { name, ended: rest().then(() => undefined, fromConnectError), close: () => abort.abort() };
    } catch (error) {
      throw fromConnectError(error);
    }
  }

  /** A Submit of one ping. Rejects with HeddleError. */
  async submit(): Promise<void> {
    try {
      await this.push.submit({ frames: [{ kind: { case: "ping", value: {} } }] }, { timeoutMs: 5_000 });
    } catch (error) {
      throw fromConnectError(error as ConnectError);
    }
  }

  close(): void {
    this.#connection.abort();
  }
}

/** A stream that has opened. */
export interface Subscribed {
  /** Of the push server that holds it. */
  readonly name: string;
  /** Resolves when it has ended, to its error or undefined. */
  readonly ended: Promise<HeddleError | undefined>;
  close(): void;
}
