import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import { deadlineExceeded } from "../calls/call-deadline.ts";
import {
  type BoundMethod,
  methodsOf,
  type RpcContext,
  runStream,
  runUnary,
  showError,
  streamReports,
} from "../calls/call-runner.ts";
import { allDecoded, decodedMessage, encodedMessage } from "../calls/encoded-message.ts";
import type { Caller, ServiceBinding } from "../calls/handlers.ts";
import { requestIdFrom } from "../calls/request-id.ts";
import { NO_PROXIES, sourceOf } from "../calls/source-address.ts";
import { type HttpRoute, pathOf } from "./http-route.ts";
import { WebByteStream } from "./web-byte-stream.ts";
import { connectError } from "./web-error.ts";
import { checkedBody } from "./web-request.ts";

/** What one HTTP request carries beside what connect-es knows. */
interface Exchange {
  readonly response: ServerResponse;
  readonly requestId: string;
  /** As Call.source. */
  readonly source: string;
  caller: Caller | undefined;
}

const exchangeKey = createContextKey<Exchange | undefined>(undefined);

/** A route that answers Connect (binary, JSON) and gRPC-Web calls. Bidirectional methods are not offered. */
export function createWebRpc(
  services: readonly ServiceBinding[],
  context: RpcContext,
  maxMessageBytes: number,
): HttpRoute {
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: 2 * maxMessageBytes, // checkedBody is the bound; this one never speaks.
    acceptCompression: [],
  });
  for (const method of services.flatMap(methodsOf)) {
    if (method.desc.methodKind === "bidi_streaming") continue;
    router.rpc(method.desc, implement(context, method), { requestGate: gate(context, method) });
  }
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(pathOf(request));
    if (!handler) return false;
    const values = startExchange(context, request, response);
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    universal.header.delete("content-length"); // connect-es would judge it, in its own words.
    const body = checkedBody(handler.method, request, maxMessageBytes);
    handler({ ...universal, body })
      .then((answer) => {
        if (!request.complete) response.setHeader("connection", "close"); // The rest of the body is not awaited.
        return universalResponseToNodeResponse(answer, response);
      })
      .catch((error: unknown) => {
        // The client has gone while it was being answered, which says nothing about us.
        context.log.debug({ err: error, method: handler.method.name }, "web answer not delivered");
        response.destroy();
      });
    return true;
  };
}

function startExchange(
  context: RpcContext,
  request: IncomingMessage,
  response: ServerResponse,
): ContextValues {
  const given = request.headers["x-request-id"];
  const requestId = requestIdFrom(typeof given === "string" ? given : undefined);
  const forwarded = request.headers["x-forwarded-for"];
  const forwardedFor = Array.isArray(forwarded) ? forwarded.join(",") : forwarded;
  const source = sourceOf(request.socket.remoteAddress, forwardedFor, context.proxies ?? NO_PROXIES);
  return createContextValues().set(exchangeKey, { response, requestId, source, caller: undefined });
}

function exchangeOf(context: HandlerContext): Exchange {
  const exchange = context.values.get(exchangeKey);
  if (!exchange) throw new Error("a call without an exchange");
  return exchange;
}

/** Runs before the body is read: who calls comes first, as on gRPC. */
function gate(context: RpcContext, method: BoundMethod): (call: HandlerContext) => Promise<void> {
  return async (call) => {
    const exchange = exchangeOf(call);
    try {
      const authorization = call.requestHeader.get("authorization") ?? undefined;
      exchange.caller = await method.authenticate(authorization, method.desc.methodKind !== "unary");
    } catch (error) {
      throw connectError(showError(context, method, error, exchange.requestId));
    }
  };
}

function implement(context: RpcContext, method: BoundMethod): MethodImpl<DescMethod> {
  const run = method.desc.methodKind === "unary" ? unary(context, method) : serverStream(context, method);
  return run as MethodImpl<DescMethod>;
}

function unary(context: RpcContext, method: BoundMethod) {
  return async (request: Message, call: HandlerContext): Promise<Message> => {
    const { caller, requestId, source } = exchangeOf(call);
    const askedMs = call.timeoutMs();
    const running = runUnary(context, method, {
      transport: "web",
      requestId,
      source,
      askedMs,
      caller: async () => caller as Caller,
      request: () => request,
    });
    const stop = () => {
      const timeoutMs = call.timeoutMs();
      running.stop(timeoutMs !== undefined && timeoutMs <= 0 ? deadlineExceeded(askedMs ?? 0) : clientGone());
    };
    call.signal.addEventListener("abort", stop, { once: true });
    try {
      const answer = await running.answer;
      return isJson(call) ? allDecoded(method.desc.output, answer) : answer;
    } catch (error) {
      throw connectError(error as HeddleError);
    } finally {
      call.signal.removeEventListener("abort", stop);
    }
  };
}

function serverStream(context: RpcContext, method: BoundMethod) {
  return async function* (request: Message, call: HandlerContext): AsyncGenerator<Message> {
    const { caller, requestId, response } = exchangeOf(call);
    const opened = { caller: caller as Caller, requestId, signal: call.signal };
    const reports = streamReports(context, method, requestId);
    const stream = new WebByteStream(response, opened, context.clock, reports);
    try {
      method.checkRequest(request);
      runStream(context, method, "web", stream, request);
    } catch (error) {
      stream.end(showError(context, method, error, requestId));
    }
    const message = isJson(call) ? decodedMessage : encodedMessage;
    for await (const bytes of stream) yield message(method.desc.output, bytes);
  };
}

function isJson(call: HandlerContext): boolean {
  return /\bjson\b/.test(call.requestHeader.get("content-type") ?? "");
}

function clientGone(): HeddleError {
  return new HeddleError(Code.CANCELLED, ErrorReason.UNSPECIFIED, "the client is gone");
}
