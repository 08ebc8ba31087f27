import { ConnectError } from "@connectrpc/connect";
import type { HeddleError } from "../../base/heddle-error.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { errorInfo, retryInfo } from "../calls/status.ts";

/** An error as connect-es takes it: Connect and gRPC-Web then carry the same details as gRPC. */
export function connectError(error: HeddleError): ConnectError {
  const details: ConnectError["details"] = [{ desc: ErrorInfoSchema, value: errorInfo(error) }];
  const retry = retryInfo(error);
  if (retry) details.push({ desc: RetryInfoSchema, value: retry });
  // Connect's codes are gRPC's, by number.
  return new ConnectError(error.message, error.code as number, undefined, details as never);
}
