import assert from "node:assert/strict";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import {
  lengthDelimitedBytes,
  varintBytes,
  writeAsciiField,
  writeBytesField,
  writeVarint,
  writeVarintField,
} from "./fields.ts";

const TAG = (9 << 3) | WireType.LengthDelimited;

/** Values around every length of a varint. */
const values = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 53 }).map((bits) => 2 ** bits - 1),
  fc.integer({ min: 0, max: 52 }).map((bits) => 2 ** bits),
);

describe("A field written by hand", () => {
  it("is a varint as the general writer makes it, of the computed size", () => {
    fc.assert(
      fc.property(values, (value) => {
        const target = new Uint8Array(varintBytes(value));
        assert.equal(writeVarint(target, 0, value), target.length);
        assert.deepEqual(target, new BinaryWriter().uint64(value).finish());
      }),
    );
  });

  it("is tag and value as the general writer makes them, behind what stands before", () => {
    const any = fc.record({
      value: values,
      bytes: fc.uint8Array({ maxLength: 300 }),
      id: fc.stringMatching(/^[ -~]*$/),
    });
    fc.assert(
      fc.property(any, ({ value, bytes, id }) => {
        const size =
          1 + varintBytes(value) + lengthDelimitedBytes(bytes.length) + lengthDelimitedBytes(id.length);
        const target = new Uint8Array(size);
        let at = writeVarintField(target, 0, 2 << 3, value);
        at = writeBytesField(target, at, TAG, bytes);
        assert.equal(writeAsciiField(target, at, TAG, id), size);
        const writer = new BinaryWriter().tag(2, WireType.Varint).uint64(value);
        writer.tag(9, WireType.LengthDelimited).bytes(bytes);
        writer.tag(9, WireType.LengthDelimited).string(id);
        assert.deepEqual(target, writer.finish());
      }),
    );
  });
});
