import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { HeddleError } from "../../base/heddle-error.ts";
import {
  type ErrorInfo,
  ErrorInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";

/** The domain of every ErrorInfo of ours. */
export const ERROR_DOMAIN = "heddle";

/** The ErrorInfo of an error, as every transport carries it. */
export function errorInfo(error: HeddleError): ErrorInfo {
  return create(ErrorInfoSchema, {
    reason: error.reasonName,
    domain: ERROR_DOMAIN,
    metadata: { ...error.metadata },
  });
}

/** The RetryInfo of an error, or undefined if it does not say when to try again. */
export function retryInfo(error: HeddleError): RetryInfo | undefined {
  if (error.retryAfterMs <= 0) return undefined;
  return create(RetryInfoSchema, {
    retryDelay: create(DurationSchema, {
      seconds: BigInt(Math.floor(error.retryAfterMs / 1000)),
      nanos: Math.round((error.retryAfterMs % 1000) * 1e6),
    }),
  });
}

/** A google.rpc.Status with the details, encoded: the value of `grpc-status-details-bin`. */
export function encodeStatus(error: HeddleError): Uint8Array {
  const retry = retryInfo(error);
  const details = [anyPack(ErrorInfoSchema, errorInfo(error))];
  if (retry) details.push(anyPack(RetryInfoSchema, retry));
  return toBinary(StatusSchema, create(StatusSchema, { code: error.code, message: error.message, details }));
}
