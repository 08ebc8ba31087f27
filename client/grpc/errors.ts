import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { ServiceError } from "@grpc/grpc-js";
import type { HeddleError } from "../../internal/base/heddle-error.ts";
import {
  type ErrorInfo,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../internal/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../internal/gen/google/rpc/status_pb.js";
import { toError } from "../transport/wire.ts";

/**
 * A gRPC status as our error. Reason, metadata and the wait that the server asks for come as details in the trailer
 * `grpc-status-details-bin`, as every gRPC server sends them.
 * A status without them (a proxy's, or grpc-js's own when a connection breaks) keeps its code, and its reason is
 * ERROR_REASON_UNSPECIFIED. `cause` is what was thrown.
 */
export function fromStatus(
  status: Pick<ServiceError, "code" | "details" | "metadata">,
  cause?: unknown,
): HeddleError {
  let info: ErrorInfo | undefined;
  let retryAfterMs = 0;
  const [bytes] = status.metadata?.get("grpc-status-details-bin") ?? [];
  if (bytes instanceof Uint8Array) {
    for (const detail of detailsOf(bytes)) {
      info ??= anyUnpack(detail, ErrorInfoSchema);
      const delay = anyUnpack(detail, RetryInfoSchema)?.retryDelay;
      // Rounded up: a client that comes back a fraction too early is refused once more.
      if (delay) retryAfterMs = Number(delay.seconds) * 1_000 + Math.ceil(delay.nanos / 1e6);
    }
  }
  return toError(status.code, status.details, info, retryAfterMs, cause);
}

/** Never throws: whatever a proxy put into the trailer, the code of the status still says what to do. */
function detailsOf(bytes: Uint8Array) {
  try {
    return fromBinary(StatusSchema, bytes).details;
  } catch {
    return [];
  }
}
