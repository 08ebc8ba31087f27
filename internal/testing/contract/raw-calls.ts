import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { Code } from "../../base/heddle-error.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";

/** What a client learns of a failed call. */
export interface Failure {
  /** gRPC's. */
  readonly code: number;
  /** Of Heddle's ErrorInfo; "" without one, as of what another program on the way has answered. */
  readonly reason: string;
  readonly metadata: Record<string, string>;
  /** How long to wait, in ms; 0 without RetryInfo. */
  readonly retryMs: number;
  readonly message: string;
}

/**
 * One unary call with raw bytes, whatever the transport; resolves to the answer's bytes or a failure. `token`: "" for
 * none, left out a wrong one. `timeoutMs`: what the server is told; left out, nothing.
 */
export type CallBytes = (
  bytes: Uint8Array,
  options?: { token?: string; timeoutMs?: number },
) => Promise<Uint8Array | Failure>;

/** Through grpc-js. */
export function grpcBytes(client: Client, path: string): CallBytes {
  return (bytes, { token = "a.b.c", timeoutMs } = {}) => {
    const metadata = new Metadata();
    if (token) metadata.set("authorization", `Bearer ${token}`);
    const plain = (buffer: Buffer) => buffer;
    const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, plain, plain, Buffer.from(bytes), metadata, options, (error, answer) => {
        resolve(error ? grpcFailure(error) : (answer as Buffer));
      });
    });
  };
}

/** The details of a gRPC error are a Status in a binary trailer. */
function grpcFailure(error: ServiceError): Failure {
  const [encoded] = error.metadata.get("grpc-status-details-bin");
  return fromStatus(error.code, error.details, encoded as Buffer | undefined);
}

/** Takes only Heddle's ErrorInfo: a proxy on the way may add its own. */
function fromStatus(code: number, message: string, encoded: Uint8Array | undefined): Failure {
  const details = encoded ? fromBinary(StatusSchema, encoded).details : [];
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find((one) => one?.domain === "heddle");
  const retry = details.map((any) => anyUnpack(any, RetryInfoSchema)).find((one) => one !== undefined);
  const delay = retry?.retryDelay;
  return {
    code,
    message,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    retryMs: delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : 0,
  };
}

/** Of a call by fetch. */
function headers(type: string, token: string): Record<string, string> {
  return { "content-type": type, ...(token ? { authorization: `Bearer ${token}` } : {}) };
}

/** By hand, as Connect with binary messages. */
export function connectBytes(web: string, path: string): CallBytes {
  return async (bytes, { token = "a.b.c", timeoutMs } = {}) => {
    const extra = timeoutMs === undefined ? {} : { "connect-timeout-ms": String(timeoutMs) };
    const response = await fetch(`${web}${path}`, {
      method: "POST",
      headers: { ...headers("application/proto", token), ...extra },
      body: bytes as BodyInit,
    });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    const body = (await response.json()) as {
      code: string;
      message: string;
      details?: { type: string; value: string }[];
    };
    const detail = (type: string) => body.details?.find((one) => one.type === type)?.value;
    const info = detail("google.rpc.ErrorInfo");
    const retry = detail("google.rpc.RetryInfo");
    const parsed = info ? fromBinary(ErrorInfoSchema, Buffer.from(info, "base64")) : undefined;
    const delay = retry ? fromBinary(RetryInfoSchema, Buffer.from(retry, "base64")).retryDelay : undefined;
    return {
      code: Code[body.code.toUpperCase() as keyof typeof Code],
      message: body.message,
      reason: parsed?.reason ?? "",
      metadata: parsed?.metadata ?? {},
      retryMs: delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : 0,
    };
  };
}

/** By hand, as gRPC-Web. */
export function grpcWebBytes(web: string, path: string): CallBytes {
  return async (bytes, { token = "a.b.c", timeoutMs } = {}) => {
    const frame = Buffer.concat([Buffer.alloc(5), bytes]);
    frame.writeUInt32BE(bytes.length, 1);
    const extra = timeoutMs === undefined ? {} : { "grpc-timeout": `${timeoutMs}m` };
    const response = await fetch(`${web}${path}`, {
      method: "POST",
      headers: { ...headers("application/grpc-web+proto", token), ...extra },
      body: frame as BodyInit,
    });
    const body = Buffer.from(await response.arrayBuffer());
    let message: Uint8Array | undefined;
    const trailers = new Map<string, string>();
    for (let at = 0; at < body.length; ) {
      const length = body.readUInt32BE(at + 1);
      const part = body.subarray(at + 5, at + 5 + length);
      if ((body[at] ?? 0) & 0x80) {
        for (const line of part.toString().split("\r\n")) {
          const colon = line.indexOf(":");
          if (colon > 0) trailers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
        }
      } else message = part;
      at += 5 + length;
    }
    const code = Number(trailers.get("grpc-status"));
    if (code === 0 && message) return message;
    const details = trailers.get("grpc-status-details-bin");
    return fromStatus(
      code,
      decodeURIComponent(trailers.get("grpc-message") ?? ""),
      details ? Buffer.from(details, "base64") : undefined,
    );
  };
}
