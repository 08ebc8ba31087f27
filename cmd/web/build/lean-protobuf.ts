import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FieldDescriptorProto_Label, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Plugin } from "vite";
import type { Data } from "./file-data.ts";

/**
 * What the page never calls of protobuf-es: JSON, since it speaks binary only (9 KB gzipped), and the text format, which
 * writes default values in a proto2 schema (1 KB).
 */
const textFiles = /@bufbuild\/protobuf\/dist\/esm\/((from|to)-json|wire\/text-format)\.js$/;

/** Leaves protobuf's JSON and text format out of the page. A call of them throws an Error that says so. */
export function withoutText(): Plugin {
  return {
    name: "protobuf-without-text",
    load(id) {
      if (!textFiles.test(id)) return null;
      const names = [...readFileSync(id, "utf8").matchAll(/^export function (\w+)/gm)].map(
        ([, name]) => name,
      );
      if (names.length === 0) throw new Error(`${id} has no functions to leave out: see to withoutText`);
      const refuse = 'const refuse = () => { throw new Error("the page has protobuf in binary only"); };';
      return `${refuse}\nexport { ${names.map((name) => `refuse as ${name}`).join(", ")} };`;
    },
  };
}

/** Parts of protobuf for browsers that are older than those the page is built for, and what stands in for each. */
const standIns: readonly (readonly [part: RegExp, file: string])[] = [
  [/@bufbuild\/protobuf\/dist\/esm\/wire\/base64-encoding\.js$/, "base64.ts"],
  [/@bufbuild\/protobuf\/dist\/esm\/proto-int64\.js$/, "int64.ts"],
];

/** Has the browser do what protobuf does by hand where there is no BigInt and no base64 (1 KB gzipped). */
export function byTheBrowser(): Plugin {
  return {
    name: "protobuf-by-the-browser",
    load(id) {
      const found = standIns.find(([part]) => part.test(id));
      return found ? `export * from ${JSON.stringify(join(import.meta.dirname, found[1]))};` : null;
    },
  };
}

/**
 * What only servers read of the contract: the validation rules (13 KB gzipped), and what Heddle does not use of Google's
 * error details (0.8 KB): ErrorInfo and RetryInfo stay.
 */
const rulesFile = "buf/validate/validate";

/** Names of messages that are left out, by file. */
export const leftOut: Readonly<Record<string, readonly string[]>> = {
  "google/rpc/error_details.proto": [
    "BadRequest",
    "DebugInfo",
    "Help",
    "LocalizedMessage",
    "PreconditionFailure",
    "QuotaFailure",
    "RequestInfo",
    "ResourceInfo",
  ],
};

/** How generated code holds its descriptor: base64, once a file. */
const embedded = /\bfileDesc\("([^"]*)"/g;

/** Puts the descriptors of generated code as data where they stand as base64 (file-data.ts says why). */
export function descriptorsAsData(): Plugin {
  const reader = JSON.stringify(join(import.meta.dirname, "file-data.ts"));
  return {
    name: "descriptors-as-data",
    transform(code, id) {
      // The descriptor of descriptors is data already, and nothing that is left needs it.
      if (!id.endsWith("_pb.js") || id.endsWith("/descriptor_pb.js")) return null;
      if (code.match(embedded)?.length !== 1) {
        throw new Error(`${id} embeds its descriptor in a new way: see descriptorsAsData`);
      }
      const changed = withoutRules(code, id).replace(
        embedded,
        (_, base64: string) => `fileFromData(${dataOf(base64)}`,
      );
      return { code: `import { fileFromData } from ${reader};\n${changed}`, map: null };
    },
  };
}

/** Generated code that neither imports the validation rules nor names them among its dependencies. */
function withoutRules(code: string, id: string): string {
  const name = `file_${rulesFile.replaceAll("/", "_")}`;
  const lean = code
    .replace(new RegExp(`^import \\{ ${name} \\} from "[^"]*/${rulesFile}_pb\\.js";\n`, "m"), "")
    .replace(new RegExp(`(?<=[[ ])${name}(, )?`), "");
  if (lean.includes(rulesFile) || lean.includes(name)) {
    throw new Error(`${id} imports the validation rules in a new way: see withoutRules`);
  }
  return lean;
}

/** A descriptor in base64 as the text of its data, without the messages that are left out. */
export function dataOf(base64: string): string {
  const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(base64, "base64"));
  const names = leftOut[file.name] ?? [];
  const kept = file.messageType.filter(({ name }) => !names.includes(name));
  // Generated code finds a message by its place.
  if (kept.some((message, at) => message !== file.messageType[at])) {
    throw new Error(`${file.name}: a message that is left out stands before one that is kept`);
  }
  return JSON.stringify(plain({ ...file, messageType: kept }));
}

/** What the page does not look at: names for JSON and other languages, marks for logs, unknown fields. */
const unused = new Set(["$typeName", "$unknown", "jsonName", "sourceCodeInfo"]);

/** The options that change how bytes are read and written. */
const options = new Set([
  "features",
  "idempotencyLevel",
  "jstype",
  "mapEntry",
  "messageSetWireFormat",
  "packed",
]);

/** A descriptor's value without what the page does not look at, and without empty lists and options. */
function plain(value: unknown, isOptions = false): unknown {
  if (Array.isArray(value)) return value.length > 0 ? value.map((item) => plain(item)) : undefined;
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value as Data).filter(([name]) =>
    isOptions ? options.has(name) : !unused.has(name),
  );
  if (isOptions && kept.length === 0) return undefined;
  return Object.fromEntries(
    kept.map(([name, field]) => [name, tuples(name, plain(field, name === "options"))]),
  );
}

/**
 * Fields and enum values, of which there are hundreds, without what stands in most of them (0.5 KB gzipped): names of
 * properties, a label, numbers that count up.
 */
function tuples(list: string, value: unknown): unknown {
  const items = value as Data[] | undefined;
  if (list === "value") return items?.map(({ name, number }, at) => (number === at ? name : [name, number]));
  if (list !== "field") return value;
  return items?.map(({ name, type, number, label, ...more }, at) => {
    const rest: Data = {
      ...(number !== at + 1 && { number }),
      ...(label !== FieldDescriptorProto_Label.OPTIONAL && { label }),
      ...Object.fromEntries(Object.entries(more).filter(([, each]) => each !== undefined)),
    };
    return Object.keys(rest).length > 0 ? [name, type, rest] : [name, type];
  });
}
