import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { RpcContext } from "../calls/call-runner.ts";
import type { ServiceBinding } from "../calls/handlers.ts";
import { refuseInternal } from "../calls/internal-services.ts";
import { MAX_MESSAGE_BYTES } from "../calls/request-decoding.ts";
import { type ListenAddress, listenError } from "../listen-address.ts";
import { type Admission, admit, contextOptions } from "../tls/peer-tls.ts";
import { applyCors, type OriginRule } from "./cors.ts";
import { type HttpRoute, sendText } from "./http-route.ts";
import { createWebRpc } from "./web-rpc.ts";

export interface WebServerOptions {
  readonly services: readonly ServiceBinding[];
  readonly context: RpcContext;
  /** Plain HTTP, asked in order after the services. */
  readonly routes: readonly HttpRoute[];
  /** Which pages of other origins may call. Default: none. */
  readonly origins?: OriginRule;
  /** The largest message a client may send, in bytes. Default 128 KiB. */
  readonly maxMessageBytes?: number;
  /** Who may connect, by certificates. Without it anybody may, and nothing is encrypted. */
  readonly admission?: Admission;
}

/** An HTTP/1.1 listener: Connect and gRPC-Web without a proxy, and plain routes beside them. */
export interface WebServer {
  /** Binds. Resolves to the port. Rejects with an error that says which address and why. */
  listen(address: ListenAddress): Promise<number>;
  /** Stops accepting and resolves when every request has been answered. */
  drain(): Promise<void>;
  /** Stops accepting and cuts every connection. */
  close(): void;
}

/** Makes the web listener. */
export function createWebServer(options: WebServerOptions): WebServer {
  refuseInternal(options.services);
  const rpc = createWebRpc(options.services, options.context, options.maxMessageBytes ?? MAX_MESSAGE_BYTES);
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    response.on("error", () => {}); // The client is gone; "close" follows.
    if (options.origins && applyCors(options.origins, request, response)) return;
    if ([rpc, ...options.routes].some((route) => route(request, response))) return;
    sendText(response, 404, "not found");
  };
  const server = createHttpServer(answer, options.context, options.admission);
  return {
    listen: (address) => listen(server, address),
    drain: () => drain(server),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Bounds for clients that dawdle: 10 s for the headers, 30 s for the whole request, 64 s between requests; answers
 * to those that do not read stay with their writer beyond 16 KiB.
 */
function createHttpServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  context: RpcContext,
  admission: Admission | undefined,
): Server {
  const limits = {
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 64_000,
    connectionsCheckingInterval: 5_000,
    highWaterMark: 16 * 1024,
    keepAlive: true,
    keepAliveInitialDelay: 10_000,
  };
  const guarded = (request: IncomingMessage, response: ServerResponse) => {
    try {
      answer(request, response);
    } catch (error) {
      context.log.error({ err: error }, "web request failed unexpectedly");
      response.destroy();
    }
  };
  if (!admission) return createServer(limits, guarded);
  const { tls } = admission;
  const certificates = { requestCert: true, rejectUnauthorized: true, ...contextOptions(tls.texts) };
  const server = createSecureServer({ ...limits, ...certificates }, guarded);
  admit(server, admission);
  server.on(
    "close",
    tls.onChange(() => server.setSecureContext(contextOptions(tls.texts))),
  );
  return server;
}

/** Binds an HTTP server. Resolves to the port. Rejects with ListenError. */
export function listen(server: Server, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(listenError(address, error));
    server.once("error", failed);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off("error", failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
