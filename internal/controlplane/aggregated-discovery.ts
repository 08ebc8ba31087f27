import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { EmptySchema, FileDescriptorProtoSchema, file_google_protobuf_empty } from "@bufbuild/protobuf/wkt";

const EMPTY = `.${EmptySchema.typeName}`;

/**
 * `envoy.service.discovery.v3.AggregatedDiscoveryService` with the one method that is served, as listeners want it.
 * Streams carry undecoded bytes (discovery-frames.ts), so the types of its messages do not matter here.
 */
export const AggregatedDiscoveryService: DescService = describe();

function describe(): DescService {
  const file = create(FileDescriptorProtoSchema, {
    name: "envoy/service/discovery/v3/ads.proto",
    package: "envoy.service.discovery.v3",
    syntax: "proto3",
    dependency: [file_google_protobuf_empty.proto.name],
    service: [
      {
        name: "AggregatedDiscoveryService",
        method: [
          {
            name: "StreamAggregatedResources",
            inputType: EMPTY,
            outputType: EMPTY,
            clientStreaming: true,
            serverStreaming: true,
          },
        ],
      },
    ],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_empty);
  const service = registry.getService("envoy.service.discovery.v3.AggregatedDiscoveryService");
  if (!service) throw new Error("it was just described");
  return service;
}
