/** What Node adds to `@heddle/client`, as `@heddle/client/node`: native gRPC, and state in a folder. */
export { type GrpcTransportOptions, grpcTransport } from "./grpc/transport.ts";
export { FileStorage } from "./storage/file-storage.ts";
