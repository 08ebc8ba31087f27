import { create, type DescMethod, type DescService, type Message } from "@bufbuild/protobuf";
import type { Clock } from "../../base/clock.ts";
import { Code, HeddleError } from "../../base/heddle-error.ts";
import type { Logger } from "../../base/log.ts";
import type { RpcMetrics } from "../metrics.ts";
import type { ByteStream } from "./byte-stream.ts";
import { unaryLimitMs, withDeadline } from "./call-deadline.ts";
import type { Authenticate, Call, Caller, ServiceBinding } from "./handlers.ts";
import { checkOwnRules, checkRules } from "./schema-rules.ts";

/** What every listener needs. */
export interface RpcContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RpcMetrics;
  /** Addresses of the proxies that are believed about the address in front of them; none if left out. */
  readonly proxies?: ReadonlySet<string>;
}

/** One method of a binding, as a listener calls it. */
export interface BoundMethod {
  /** `heddle.push.v1.PushService/Submit`. */
  readonly name: string;
  readonly desc: DescMethod;
  readonly authenticate: Authenticate;
  readonly handler: unknown;
  /** Throws INVALID_FIELD if the request breaks a rule that is checked before the handler sees it. */
  checkRequest(request: Message): void;
}

/** The methods of a service. Throws if one has no handler (which `bind` rules out). */
export function methodsOf(binding: ServiceBinding): readonly BoundMethod[] {
  const service: DescService = binding.desc;
  return service.methods.map((desc) => {
    const handler = binding.handlers[desc.localName];
    if (typeof handler !== "function") throw new Error(`${service.typeName}.${desc.name} has no handler`);
    const check = binding.piecewise.has(desc.localName) ? checkOwnRules : checkRules;
    return {
      name: `${service.typeName}/${desc.name}`,
      desc,
      authenticate: binding.authenticate,
      handler,
      checkRequest: (request) => check(desc.input, request),
    };
  });
}

/** A unary call under way. `stop` ends it with a reason (the client is gone); its answer then rejects with that. */
export interface RunningCall {
  readonly answer: Promise<Message>;
  stop(reason: Error): void;
}

/**
 * Runs one unary call the same way on every transport: deadline, caller, request (decoded by the transport, after
 * the caller is known), rules of the schema, handler. The answer rejects only with HeddleError.
 */
export function runUnary(
  context: RpcContext,
  method: BoundMethod,
  call: {
    readonly transport: "grpc" | "web";
    readonly requestId: string;
    /** As Call.source: may be a getter, since few methods ask for it, and none before its handler. */
    readonly source: string;
    /** What is left of the client's deadline, in milliseconds. */
    readonly askedMs: number | undefined;
    readonly caller: () => Promise<Caller>;
    readonly request: () => Message;
  },
): RunningCall {
  const startedMs = context.clock.monotonicMs();
  const { answer, stop } = withDeadline(context.clock, unaryLimitMs(call.askedMs), async (signal) => {
    const caller = await call.caller();
    const request = call.request();
    method.checkRequest(request);
    const handler = method.handler as (request: Message, call: Call) => Promise<Message>;
    const { requestId } = call;
    const seen = {
      caller,
      requestId,
      signal,
      get source() {
        return call.source;
      },
    };
    const response = await handler(request, seen);
    return create(method.desc.output, response);
  });
  const observe = (code: Code) =>
    context.metrics.callSeconds.observe(
      { method: method.name, code: Code[code], transport: call.transport },
      (context.clock.monotonicMs() - startedMs) / 1000,
    );
  const shown = answer.then(
    (response) => {
      observe(Code.OK);
      return response;
    },
    (error) => {
      const heddleError = showError(context, method, error, call.requestId);
      observe(heddleError.code);
      throw heddleError;
    },
  );
  return { answer: shown, stop };
}

/** The error as clients see it. What is not ours is a fault: logged here, once, with its cause. */
export function showError(
  context: RpcContext,
  method: BoundMethod,
  error: unknown,
  requestId: string,
): HeddleError {
  const shown = HeddleError.from(error, requestId);
  if (shown !== error) {
    context.metrics.faults.inc({ method: method.name });
    context.log.error({ err: error, method: method.name, request_id: requestId }, "call failed unexpectedly");
  } else {
    context.log.debug(
      {
        method: method.name,
        request_id: requestId,
        code: Code[shown.code],
        reason: shown.reasonName,
        err: shown.cause,
      },
      "call refused",
    );
  }
  return shown;
}

/** What the transports' streams tell of. */
export interface StreamReports {
  /** The server has ended the stream. */
  ended(error?: HeddleError): void;
  /** The handler has thrown this; returns it as clients see it. */
  thrown(error: unknown): HeddleError;
}

/** For a stream: logs how the server ended it, and what its handler threw. */
export function streamReports(context: RpcContext, method: BoundMethod, requestId: string): StreamReports {
  return {
    ended: (error) =>
      context.log.debug(
        {
          method: method.name,
          request_id: requestId,
          code: Code[error?.code ?? Code.OK],
          reason: error?.reasonName,
        },
        "stream ended",
      ),
    thrown: (error) => showError(context, method, error, requestId),
  };
}

/** Hands a stream to its handler; what the handler throws ends the stream as a fault or as the HeddleError it is. */
export function runStream(
  context: RpcContext,
  method: BoundMethod,
  transport: "grpc" | "web",
  stream: ByteStream,
  request?: Message,
): void {
  const labels = { method: method.name, transport };
  context.metrics.streams.inc(labels);
  stream.onClose(() => context.metrics.streams.dec(labels));
  try {
    if (request === undefined) (method.handler as (stream: ByteStream) => void)(stream);
    else (method.handler as (request: Message, stream: ByteStream) => void)(request, stream);
  } catch (error) {
    stream.fail(error);
  }
}
