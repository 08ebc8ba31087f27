import type { ServerInterceptingCallInterface, ServerInterceptor } from "@grpc/grpc-js";
import type { Clock } from "../../base/clock.ts";
import { DEFAULT_DEADLINE_MS, deadlineExceeded } from "../calls/call-deadline.ts";
import { grpcStatus } from "./grpc-status.ts";

/**
 * Ends calls whose one request message does not arrive in 10 s: grpc-js waits for it for ever, and asks no handler
 * meanwhile, so that nobody else would notice. Streams of requests are left to their handlers.
 */
export function demandRequest(clock: Clock): ServerInterceptor {
  return (method, call) => {
    if (!method.requestStream) watch(clock, call);
    return call as unknown as ReturnType<ServerInterceptor>;
  };
}

function watch(clock: Clock, call: ServerInterceptingCallInterface): void {
  const cancel = clock.after(DEFAULT_DEADLINE_MS, () => {
    call.sendStatus(grpcStatus(deadlineExceeded(DEFAULT_DEADLINE_MS)));
  });
  const start = call.start.bind(call);
  call.start = (listener) =>
    start({
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
      onReceiveMessage: (message) => listener.onReceiveMessage(message),
      onReceiveHalfClose() {
        cancel();
        listener.onReceiveHalfClose();
      },
      onCancel() {
        cancel();
        listener.onCancel();
      },
    });
}
