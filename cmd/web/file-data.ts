import { createFileRegistry, type DescFile } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** A descriptor as plain data: the fields that are set, by protobuf-es's names, without `$typeName`. */
export interface Data {
  readonly [name: string]: unknown;
}

/**
 * What `fileDesc` of generated code does, from data instead of base64: lean-protobuf.ts puts it in its place, since
 * reading descriptors from bytes needs the descriptor of descriptors (5 KB gzipped), and data compresses better than
 * base64 (3 KB). Names for JSON are not restored: the page has none.
 */
export function fileFromData(data: Data, imports: readonly DescFile[] = []): DescFile {
  const proto = {
    $typeName: "google.protobuf.FileDescriptorProto",
    ...withLists(data, "extension"),
    dependency: imports.map((file) => file.proto.name),
    messageType: each(data.messageType, messageFrom),
    enumType: each(data.enumType, enumFrom),
    service: each(data.service, (service) => withLists(service, "method")),
  } as unknown as FileDescriptorProto;
  const registry = createFileRegistry(proto, (name) => imports.find((file) => file.proto.name === name));
  const file = registry.getFile(proto.name);
  if (!file) throw new Error(`no descriptor of ${proto.name}`);
  return file;
}

function messageFrom(data: Data): Data {
  return {
    ...withLists(data, "field", "oneofDecl", "extension"),
    nestedType: each(data.nestedType, messageFrom),
    enumType: each(data.enumType, enumFrom),
  };
}

function enumFrom(data: Data): Data {
  return withLists(data, "value");
}

/** Lists that are empty are left out of the data. */
function withLists(data: Data, ...names: readonly string[]): Data {
  return { ...Object.fromEntries(names.map((name) => [name, []])), ...data };
}

function each(list: unknown, make: (item: Data) => Data): Data[] {
  return ((list ?? []) as Data[]).map(make);
}
