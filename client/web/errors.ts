import { ConnectError } from "@connectrpc/connect";
import type { HeddleError } from "../../internal/base/heddle-error.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../internal/gen/google/rpc/error_details_pb.js";
import { toError } from "../transport/wire.ts";

/**
 * Whatever connect-web throws as our error. Its codes are gRPC's. The reason is of the ErrorInfo that Heddle adds, and
 * unspecified where something between browser and server has answered; the wait is of RetryInfo, in ms, 0 without it.
 */
export function fromConnectError(thrown: unknown): HeddleError {
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const retryAfterMs = delay ? Number(delay.seconds) * 1_000 + Math.ceil(delay.nanos / 1e6) : 0;
  return toError(error.code, error.rawMessage, info, retryAfterMs, thrown);
}
