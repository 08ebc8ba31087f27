import { type Message, toBinary } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { Code, ErrorReason, HeddleError } from "../../base/heddle-error.ts";
import {
  type BoundMethod,
  methodsOf,
  type RpcContext,
  runStream,
  runUnary,
  showError,
  streamReports,
} from "../calls/call-runner.ts";
import type { Call, ServiceBinding } from "../calls/handlers.ts";
import { refuseInternal } from "../calls/internal-services.ts";
import { decodeBinary, MAX_MESSAGE_BYTES } from "../calls/request-decoding.ts";
import { requestIdFrom } from "../calls/request-id.ts";
import { NO_PROXIES, sourceOf } from "../calls/source-address.ts";
import { type ListenAddress, listenError } from "../listen-address.ts";
import type { Admission } from "../tls/peer-tls.ts";
import { GrpcByteStream } from "./grpc-byte-stream.ts";
import { GrpcConnections } from "./grpc-connections.ts";
import { PeerServerCredentials } from "./grpc-credentials.ts";
import { demandRequest } from "./grpc-request-timeout.ts";
import { explainOwnStatuses, grpcStatus } from "./grpc-status.ts";

/** Ask after 5 s, wait 5 s for the answer. */
const KEEPALIVE_MS = 5_000;

export interface GrpcServerOptions {
  readonly services: readonly ServiceBinding[];
  readonly context: RpcContext;
  /** The largest message a client may send, in bytes. Default 128 KiB. */
  readonly maxMessageBytes?: number;
  /** How often a connection is asked for a sign of life, in ms. Default 5 s (docs/design.md, section 3). */
  readonly keepaliveMs?: number;
  /** For the programs of the mesh alone: internal services may stand on it. Default false. */
  readonly isInternal?: boolean;
  /** Who may connect, by certificates. Without it anybody may, and nothing is encrypted. */
  readonly admission?: Admission;
  /** Adds more services to the server: reflection. */
  readonly extend?: (server: Server) => void;
}

/** A gRPC listener (docs/design.md, section 10: the push server has one port, grpc-js). */
export interface GrpcServer {
  /** Binds. Resolves to the port. Rejects with an error that says which address and why. */
  listen(address: ListenAddress): Promise<number>;
  /** Stops accepting and resolves when every call has ended. */
  drain(): Promise<void>;
  /** Ends every call now. */
  close(): void;
}

/** Makes a gRPC listener for services. Message bytes pass through untouched: handlers' plumbing decodes. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  if (!options.isInternal) refuseInternal(options.services);
  const maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  // grpc-js writes to the console by itself what it tells us by errors as well.
  if (!process.env.GRPC_VERBOSITY) setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 100_000, // A proxy carries many clients' streams on one connection.
    "grpc.keepalive_time_ms": options.keepaliveMs ?? KEEPALIVE_MS, // Pings of clients are answered, however many.
    "grpc.keepalive_timeout_ms": KEEPALIVE_MS,
    "grpc.enable_channelz": 0,
    "grpc.max_connection_idle_ms": 5 * 60_000, // A connection without a call; clients dial again unseen.
    interceptors: [explainOwnStatuses(maxMessageBytes), demandRequest(options.context.clock)],
  });
  for (const service of options.services) {
    const { definition, implementation } = describeService(options.context, service);
    server.addService(definition, implementation);
  }
  options.extend?.(server);
  const connections = new GrpcConnections();
  return {
    async listen(address) {
      const { admission } = options;
      const credentials = admission
        ? new PeerServerCredentials(admission.tls)
        : ServerCredentials.createInsecure();
      const port = await bindServer(server, address, credentials);
      connections.watch(server, admission);
      return port;
    },
    drain: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    close() {
      server.forceShutdown();
      connections.destroy();
    },
  };
}

function bindServer(server: Server, address: ListenAddress, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address.text, credentials, (error, port) => {
      if (error) reject(listenError(address, error));
      else resolve(port);
    });
  });
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
const identity = (bytes: Buffer): Buffer => bytes;

function describeService(context: RpcContext, service: ServiceBinding) {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: Record<string, UntypedServiceImplementation[string]> = {};
  for (const method of methodsOf(service)) {
    definition[method.desc.localName] = {
      path: `/${method.name}`,
      requestStream: method.desc.methodKind === "bidi_streaming",
      responseStream: method.desc.methodKind !== "unary",
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    };
    implementation[method.desc.localName] = implement(context, method);
  }
  return { definition, implementation };
}

function implement(context: RpcContext, method: BoundMethod): UntypedServiceImplementation[string] {
  switch (method.desc.methodKind) {
    case "unary":
      return unary(context, method);
    case "server_streaming":
      return serverStream(context, method);
    case "bidi_streaming":
      return bidiStream(context, method);
    default:
      throw new Error(`${method.name}: client streams are not in use`);
  }
}

function unary(context: RpcContext, method: BoundMethod): handleUnaryCall<Buffer, Buffer> {
  return (call, respond) => {
    const requestId = requestIdOf(call.metadata);
    const peer = call.getPeer(); // Now: of a connection that is gone nobody knows it.
    const running = runUnary(context, method, {
      transport: "grpc",
      requestId,
      get source() {
        return sourceOf(peer, allText(call.metadata, "x-forwarded-for"), context.proxies ?? NO_PROXIES);
      },
      askedMs: Number(call.getDeadline()) - Date.now(),
      caller: () => method.authenticate(authorizationOf(call.metadata), false),
      request: () => decodeBinary(method.desc.input, call.request) as Message,
    });
    const onCancelled = () => running.stop(clientGone());
    call.once("cancelled", onCancelled);
    const answer: typeof respond = (...given) => {
      // grpc-js says it of every call that ends, also of one that was answered: an error each, made for nobody.
      call.off("cancelled", onCancelled);
      respond(...given);
    };
    const encoded = running.answer.then((response) => asBuffer(toBinary(method.desc.output, response)));
    encoded.then(
      (bytes) => answer(null, bytes),
      (error) =>
        answer(
          grpcStatus(error instanceof HeddleError ? error : showError(context, method, error, requestId)),
        ),
    );
  };
}

function serverStream(context: RpcContext, method: BoundMethod): handleServerStreamingCall<Buffer, Buffer> {
  return async (stream) => {
    const opened = await open(context, method, stream);
    if (!opened) return;
    try {
      const request = decodeBinary(method.desc.input, stream.request) as Message;
      method.checkRequest(request);
      runStream(context, method, "grpc", opened, request);
    } catch (error) {
      opened.end(showError(context, method, error, opened.call.requestId));
    }
  };
}

function bidiStream(context: RpcContext, method: BoundMethod): handleBidiStreamingCall<Buffer, Buffer> {
  return async (stream) => {
    const opened = await open(context, method, stream);
    if (opened) runStream(context, method, "grpc", opened);
  };
}

type AnyGrpcStream =
  | Parameters<handleServerStreamingCall<Buffer, Buffer>>[0]
  | Parameters<handleBidiStreamingCall<Buffer, Buffer>>[0];

/** Finds out who calls. Undefined if the stream was refused or is gone. Nothing of the client's is read before. */
async function open(
  context: RpcContext,
  method: BoundMethod,
  stream: AnyGrpcStream,
): Promise<GrpcByteStream | undefined> {
  const requestId = requestIdOf(stream.metadata);
  const abort = new AbortController();
  stream.once("cancelled", () => abort.abort(clientGone()));
  try {
    const caller = await method.authenticate(authorizationOf(stream.metadata), true);
    if (stream.cancelled) return undefined;
    stream.sendMetadata(new Metadata()); // Now, so that the client knows that it is connected.
    const call: Call = { caller, requestId, signal: abort.signal };
    return new GrpcByteStream(stream, call, context.clock, streamReports(context, method, requestId));
  } catch (error) {
    stream.emit("error", grpcStatus(showError(context, method, error, requestId)));
    return undefined;
  }
}

/** The reason with which a call's signal aborts when the client has gone. Nobody is there to see it. */
function clientGone(): HeddleError {
  return new HeddleError(Code.CANCELLED, ErrorReason.UNSPECIFIED, "the client is gone");
}

/** All values of a header, as one list. */
function allText(metadata: Metadata, name: string): string {
  return metadata.get(name).join(",");
}

function authorizationOf(metadata: Metadata): string | undefined {
  return firstText(metadata, "authorization");
}

function requestIdOf(metadata: Metadata): string {
  return requestIdFrom(firstText(metadata, "x-request-id"));
}

function firstText(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === "string" ? value : undefined;
}
