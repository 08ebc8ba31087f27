import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { create, type DescFile, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { fileFromData } from "./file-data.ts";
import { dataOf, leftOut } from "./lean-protobuf.ts";

const root = join(import.meta.dirname, "../../../internal/gen");

describe("Descriptors as data", () => {
  it("describe every file of the contract as its generated code does, but for what is left out", async () => {
    const paths = globSync("**/*_pb.js", { cwd: root, exclude: ["buf/**"] });
    assert.ok(paths.length > 5);
    for (const path of paths) {
      const text = readFileSync(join(root, path), "utf8");
      const [, base64 = ""] = /\bfileDesc\("([^"]*)"/.exec(text) ?? [];
      const generated = Object.values(await import(join(root, path))) as { kind?: string }[];
      const original = generated.find((value) => value.kind === "file") as DescFile;
      const rebuilt = fileFromData(JSON.parse(dataOf(base64)), original.dependencies);
      const names = leftOut[original.proto.name] ?? [];
      const kept = original.messages.filter(({ name }) => !names.includes(name));
      assert.deepEqual(describeFile(rebuilt), describeFile({ ...original, messages: kept }), path);
      for (const message of rebuilt.messages)
        assert.deepEqual(fromBinary(message, bytesOf(message)), create(message));
    }
  });
});

function bytesOf(message: DescMessage): Uint8Array {
  return toBinary(message, create(message));
}

/** All that reading and writing bytes depends on. */
function describeFile(file: DescFile): unknown {
  return {
    name: file.name,
    edition: file.edition,
    messages: file.messages.map(describeMessage),
    enums: file.enums.map((desc) => [
      desc.typeName,
      desc.open,
      desc.values.map(({ name, number }) => [name, number]),
    ]),
    services: file.services.map(({ typeName, methods }) => [
      typeName,
      methods.map((method) => [
        method.localName,
        method.methodKind,
        method.input.typeName,
        method.output.typeName,
        method.idempotency,
      ]),
    ]),
  };
}

function describeMessage(desc: DescMessage): unknown {
  return {
    name: desc.typeName,
    oneofs: desc.oneofs.map(({ localName, fields }) => [localName, fields.map(({ number }) => number)]),
    nested: [desc.nestedMessages.map(describeMessage), desc.nestedEnums.map(({ typeName }) => typeName)],
    fields: desc.fields.map((field) => {
      const { localName, number, fieldKind, presence, scalar, message, enum: enumeration } = field;
      const list = field.fieldKind === "list" ? [field.listKind, field.packed] : [];
      const map = field.fieldKind === "map" ? [field.mapKind, field.mapKey] : [];
      const types = [scalar, message?.typeName, enumeration?.typeName, field.oneof?.localName];
      return [localName, number, fieldKind, presence, types, list, map];
    }),
  };
}
