import {
  type DescField,
  type DescMessage,
  type DescMethodUnary,
  type JsonObject,
  ScalarType,
} from "@bufbuild/protobuf";

/** JSON values of every type, each wrong somewhere. */
export const ODD_VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ["nothing", undefined],
  ["null", null],
  ["zero", 0],
  ["a number", 42],
  ["a negative number", -1],
  ["a fraction", 1.5],
  ["a huge number", 1e308],
  ["true", true],
  ["false", false],
  ["an empty text", ""],
  ["a text", "ann bob"],
  ["a long text", "x".repeat(3_000)],
  ["an empty list", []],
  ["a list of texts", ["ann", "bob"]],
  ["a list of a number", [42]],
  ["a list of lists", [[["ann"]]]],
  ["a list of null", [null]],
  ["an object", { ann: "bob" }],
  ["an object that looks like a list", { length: 1, 0: "ann" }],
  ["an object with methods' names", { toString: 1, valueOf: 2, constructor: null }],
];

/** A JSON body with one field, at any depth, that has an odd value; the others have good ones. */
export interface OddBody {
  /** Says where the odd value is, for a person. */
  readonly name: string;
  readonly json: unknown;
}

/** Every body of a method with one odd value: instead of the body itself, and of each field in it, three deep. */
export function oddBodies(method: DescMethodUnary): OddBody[] {
  const whole = ODD_VALUES.map(([name, json]) => ({ name: `${name} as the body`, json }));
  return [...whole, ...oddFields(method.input, 3).map(({ name, json }) => ({ name, json }))];
}

/** Bodies with one odd value each, in this message or in one below it. */
function oddFields(message: DescMessage, depth: number): OddBody[] {
  return message.fields.flatMap((field) => {
    const good = goodBody(message, field, depth);
    const named = ODD_VALUES.map(([name, value]) => ({
      name: `${message.name}.${field.name}: ${name}`,
      json: { ...good, [field.jsonName]: value },
    }));
    if (!field.message || depth === 0) return named;
    const within = oddFields(field.message, depth - 1).map(({ name, json }) => ({
      name: `${message.name}.${name}`,
      json: { ...good, [field.jsonName]: field.fieldKind === "list" ? [json] : json },
    }));
    return [...named, ...within];
  });
}

/** Good values for all fields but those of the oneof that `but` belongs to. */
function goodBody(message: DescMessage, but: DescField | undefined, depth: number): JsonObject {
  const body: JsonObject = {};
  const taken = new Set(but?.oneof ? [but.oneof] : []);
  for (const field of message.fields) {
    if (field === but || (field.oneof && taken.has(field.oneof))) continue;
    if (field.oneof) taken.add(field.oneof);
    const one = goodValue(field, depth);
    body[field.jsonName] = field.fieldKind === "list" ? [one] : one;
  }
  return body;
}

/** Of the right type, and mostly of the right form: an id, a name. */
function goodValue(field: DescField, depth: number): string | number | boolean | JsonObject {
  if (field.message) return depth === 0 ? {} : goodBody(field.message, undefined, depth - 1);
  if (field.enum) return 1;
  if (field.scalar === ScalarType.BYTES) return "AAAAAAAAAAAAAAAAAAAAAA==";
  if (field.scalar === ScalarType.BOOL) return true;
  return field.scalar === ScalarType.STRING ? "bob" : 1;
}
