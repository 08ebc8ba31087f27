import { createFileRegistry, type DescFile } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** A descriptor as plain data: the fields that are set, by protobuf-es's names, without `$typeName`. */
export interface Data {
  readonly [name: string]: unknown;
}

/** A field; number and label are left out where they are its place and OPTIONAL. */
type FieldData = readonly [name: string, type: number, rest?: Data];

/** An enum value whose number is not its place; of the others there is only the name. */
type ValueData = readonly [name: string, number: number];

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
  // Only if the data was not written by lean-protobuf.ts.
  if (!file) throw new Error(`no descriptor of ${proto.name}`);
  return file;
}

/** A message's descriptor; nested ones are of the same form. */
function messageFrom(data: Data): Data {
  return {
    ...withLists(data, "oneofDecl", "extension"),
    field: each(data.field, ([name, type, rest]: FieldData, at) => {
      return { label: 1, number: at + 1, ...rest, name, type };
    }),
    nestedType: each(data.nestedType, messageFrom),
    enumType: each(data.enumType, enumFrom),
  };
}

/** An enum's descriptor. */
function enumFrom(data: Data): Data {
  const value = each(data.value, (item: string | ValueData, number) => {
    return typeof item === "string" ? { name: item, number } : { name: item[0], number: item[1] };
  });
  return { ...data, value };
}

/** Lists that are empty are left out of the data. */
function withLists(data: Data, ...names: readonly string[]): Data {
  return { ...Object.fromEntries(names.map((name) => [name, []])), ...data };
}

function each<T = Data>(list: unknown, make: (item: T, at: number) => Data): Data[] {
  return ((list ?? []) as T[]).map(make);
}
