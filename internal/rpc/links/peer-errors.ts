import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ErrorReason, HeddleError, overloaded, peerUnavailable } from "../../base/heddle-error.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { ERROR_DOMAIN, encodeStatus } from "../calls/status.ts";

/**
 * The one error codec of links. What crosses is what the service itself said, with our ErrorInfo. All else (a status of
 * the transport, a refused certificate, a reset, bytes that say nothing) is PEER_UNAVAILABLE, outcome unknown: or a
 * fault between two programs would read UNAUTHENTICATED or NOT_FOUND at a client, and sign its user out.
 */

export { peerUnavailable };

/** RESOURCE_EXHAUSTED / OVERLOADED: the link to the service is full, and nothing was asked. */
export function linkFull(service: string): HeddleError {
  return overloaded(`${service} link`, 1_000);
}

/** The body of a refusal. */
export function encodeRefusal(error: HeddleError): Uint8Array {
  return encodeStatus(error);
}

/** What a refusal of `service` says. */
export function decodeRefusal(service: string, body: Uint8Array): HeddleError {
  const status = statusOf(body);
  const infos = status?.details.flatMap((detail) => unpacked(detail, ErrorInfoSchema)) ?? [];
  const info = infos.find(({ domain }) => domain === ERROR_DOMAIN);
  const reason = info && ErrorReason[info.reason as keyof typeof ErrorReason];
  if (!status || !info || !reason || Code[status.code] === undefined || status.code === Code.OK) {
    return peerUnavailable(service, new Error("a refusal without our ErrorInfo"));
  }
  const [retry] = status.details.flatMap((detail) => unpacked(detail, RetryInfoSchema));
  const delay = retry?.retryDelay;
  return new HeddleError(status.code, reason, status.message, {
    metadata: info.metadata,
    retryAfterMs: delay ? Number(delay.seconds) * 1_000 + Math.ceil(delay.nanos / 1e6) : 0,
  });
}

function statusOf(body: Uint8Array): Status | undefined {
  try {
    return fromBinary(StatusSchema, body);
  } catch {
    return undefined;
  }
}

function unpacked<D extends typeof ErrorInfoSchema | typeof RetryInfoSchema>(detail: Any, schema: D) {
  try {
    const message = anyUnpack(detail, schema);
    return message ? [message] : [];
  } catch {
    return [];
  }
}
