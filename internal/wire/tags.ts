import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

/** Above it a field number's tag takes two bytes. */
const ONE_BYTE_NUMBERS = 15;

const varints: readonly ScalarType[] = [
  ScalarType.BOOL,
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.UINT32,
  ScalarType.UINT64,
];

/**
 * The tag that stands before a field on the wire, number and wire type, taken from its descriptor: so no number of the
 * schema is written a second time. Throws RangeError for what is not written by hand here: a tag of two bytes, and
 * fields that are neither varints nor have a length.
 */
export function tagOf(field: DescField): number {
  if (field.number > ONE_BYTE_NUMBERS)
    throw new RangeError(`${field.parent.typeName}: ${field} has a long tag`);
  return (field.number << 3) | wireTypeOf(field);
}

function wireTypeOf(field: DescField): WireType {
  if (field.fieldKind === "enum") return WireType.Varint;
  if (field.fieldKind === "message") return WireType.LengthDelimited;
  if (field.fieldKind === "list" && field.listKind === "message") return WireType.LengthDelimited;
  if (field.fieldKind === "scalar") {
    if (field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES)
      return WireType.LengthDelimited;
    if (varints.includes(field.scalar)) return WireType.Varint;
  }
  throw new RangeError(`${field.parent.typeName}: ${field} is not written by hand`);
}
