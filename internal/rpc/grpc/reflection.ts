import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.js";

/** Adds server reflection (v1 and v1alpha) for these services, so that grpcurl and buf curl need no schema. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  for (const service of services) collect(service.file, files);
  collect(file_google_rpc_error_details, files); // What every error carries, though no service names it.
  // Shaped as the package wants it: any record whose values carry encoded files.
  const described = { files: { fileDescriptorProtos: [...files.values()] } } as unknown;
  const names = services.map((service) => service.typeName);
  new ReflectionService(described as ConstructorParameters<typeof ReflectionService>[0], {
    services: names,
  }).addToServer(server);
}

/** A file and everything it imports. */
function collect(file: DescFile, into: Map<string, Buffer>): void {
  if (into.has(file.name)) return;
  for (const dependency of file.dependencies) collect(dependency, into);
  into.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
}
