import { Metadata, type ServerInterceptingCallInterface, type ServerInterceptor } from "@grpc/grpc-js";
import { Code, type HeddleError } from "../../base/heddle-error.ts";
import { deadlineExceeded } from "../calls/call-deadline.ts";
import { frameTooLarge, malformed } from "../calls/request-decoding.ts";
import { encodeStatus } from "../calls/status.ts";

const DETAILS = "grpc-status-details-bin";

/** An error as grpc-js takes it: with google.rpc.Status in the trailers. */
export function grpcStatus(error: HeddleError): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set(DETAILS, Buffer.from(encodeStatus(error)));
  return { code: error.code, details: error.message, metadata };
}

type Status = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

/**
 * Gives the statuses that grpc-js makes itself (a message above the bound, the client's deadline passed) our
 * ErrorInfo. It makes them inside the call that an interceptor is handed, so wrapping that call would miss them;
 * its `sendStatus` is replaced instead, and the call is otherwise left as it is, which keeps it fast.
 */
export function explainOwnStatuses(maxMessageBytes: number): ServerInterceptor {
  return (_method, call) => {
    const startedMs = Date.now();
    const send = call.sendStatus.bind(call);
    call.sendStatus = (status) => send(explain(status, call, maxMessageBytes, startedMs));
    return call as unknown as ReturnType<ServerInterceptor>;
  };
}

function explain(
  status: Status,
  call: ServerInterceptingCallInterface,
  maxMessageBytes: number,
  startedMs: number,
): Status {
  if ((status.metadata?.get(DETAILS).length ?? 0) > 0) return status;
  switch (status.code) {
    case Number(Code.RESOURCE_EXHAUSTED):
      return grpcStatus(frameTooLarge(maxMessageBytes));
    case Number(Code.INTERNAL): // A message that cannot be unpacked, or a timeout that is none.
      return /^(Failed to decompress|Invalid grpc-timeout)/.test(status.details ?? "")
        ? grpcStatus(malformed("request"))
        : status;
    case Number(Code.DEADLINE_EXCEEDED):
      return grpcStatus(deadlineExceeded(Number(call.getDeadline()) - startedMs));
    default:
      return status;
  }
}
