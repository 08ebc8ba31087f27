import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

// Envoy's discovery protocol (xDS v3), the few fields of it that are used here. Its published files import some forty
// others, which would be ten times this program; the numbers below never change, and Envoy itself is the test.

/** What an Envoy asks for, or how it took the last answer. */
export interface DiscoveryRequest {
  /** `node.id`: which Envoy asks. Only in the first request of a stream; else "". */
  readonly nodeId: string;
  readonly typeUrl: string;
  /** All names that it wants, each time. */
  readonly names: readonly string[];
  /** Of the answer that this is about; "" in the first request of a type. */
  readonly nonce: string;
  /** Why it did not take that answer; undefined if it did. */
  readonly refusal: string | undefined;
}

/** An answer: some of the resources of a type. What is left out of it stays as it was. */
export interface DiscoveryResponse {
  readonly version: string;
  readonly typeUrl: string;
  readonly nonce: string;
  /** Encoded messages of the type. */
  readonly resources: readonly Uint8Array[];
}

/** Where a listener is. */
export interface Endpoint {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  /** It takes new calls only where no other endpoint is well. */
  readonly isDraining: boolean;
  /** What routes may ask for, such as the push server's name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The type of what `assignmentBytes` returns. */
export const ASSIGNMENT_TYPE = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

/** `envoy.config.core.v3.HealthStatus.DRAINING`. */
const DRAINING = 3;

/** The namespace of metadata by which Envoy forms subsets of a cluster. */
const SUBSETS = "envoy.lb";

/** Reads an `envoy.service.discovery.v3.DiscoveryRequest`. Throws where the bytes are none. */
export function readDiscoveryRequest(bytes: Uint8Array): DiscoveryRequest {
  const names: string[] = [];
  let [nodeId, typeUrl, nonce] = ["", "", ""];
  let refusal: string | undefined;
  eachField(bytes, (field, reader) => {
    if (field === 2)
      nodeId = textIn(reader.bytes(), 1); // Node.id
    else if (field === 3) names.push(reader.string());
    else if (field === 4) typeUrl = reader.string();
    else if (field === 5) nonce = reader.string();
    else if (field === 6)
      refusal = textIn(reader.bytes(), 2); // google.rpc.Status.message
    else return false;
    return true;
  });
  return { nodeId, typeUrl, names, nonce, refusal };
}

/** An `envoy.service.discovery.v3.DiscoveryResponse`. */
export function discoveryResponse({ version, typeUrl, nonce, resources }: DiscoveryResponse): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, 1, version);
  for (const resource of resources) {
    message(writer, 2, (any) => {
      text(any, 1, typeUrl);
      any.tag(2, WireType.LengthDelimited).bytes(resource);
    });
  }
  text(writer, 4, typeUrl);
  text(writer, 5, nonce);
  return writer.finish();
}

/** An `envoy.config.endpoint.v3.ClusterLoadAssignment`: all endpoints of a cluster, in one locality. */
export function assignmentBytes(cluster: string, endpoints: readonly Endpoint[]): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, 1, cluster);
  message(writer, 2, (locality) => {
    for (const endpoint of endpoints) message(locality, 2, (one) => writeEndpoint(one, endpoint));
  });
  return writer.finish();
}

/** An LbEndpoint. */
function writeEndpoint(writer: BinaryWriter, { host, port, isDraining, metadata }: Endpoint): void {
  message(writer, 1, (endpoint) =>
    message(endpoint, 1, (address) =>
      message(address, 1, (socket) => {
        text(socket, 2, host);
        socket.tag(3, WireType.Varint).uint32(port);
      }),
    ),
  );
  if (isDraining) writer.tag(2, WireType.Varint).int32(DRAINING);
  message(writer, 3, (all) =>
    message(all, 1, (namespaces) => {
      text(namespaces, 1, SUBSETS);
      message(namespaces, 2, (struct) => {
        for (const [key, value] of Object.entries(metadata)) {
          message(struct, 1, (field) => {
            text(field, 1, key);
            message(field, 2, (string) => text(string, 3, value)); // google.protobuf.Value.string_value
          });
        }
      });
    }),
  );
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function message(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

/** `read` returns false for a field that it does not read. */
function eachField(bytes: Uint8Array, read: (field: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const isRead = type === WireType.LengthDelimited && read(field, reader);
    if (!isRead) reader.skip(type, field);
  }
}

/** A text field of a message; "" if it is not there. */
function textIn(bytes: Uint8Array, wanted: number): string {
  let found = "";
  eachField(bytes, (field, reader) => {
    if (field !== wanted) return false;
    found = reader.string();
    return true;
  });
  return found;
}
