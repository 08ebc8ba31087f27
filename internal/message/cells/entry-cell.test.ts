import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { BodySchema } from "../../gen/heddle/message/v1/entry_pb.js";
import { textBody } from "../../testing/fakes/message/message-samples.ts";
import { encodeBody, voidBody } from "./entry-cell.ts";

describe("A body in the server's own encoding", () => {
  it("has equal bytes and hash for equal bodies, however the client wrote them", () => {
    const plain = encodeBody(textBody("hi"));
    // The same arm twice: the later one counts.
    const text = (value: string) =>
      new BinaryWriter().tag(1, WireType.LengthDelimited).string(value).finish();
    const twice = new BinaryWriter();
    for (const value of ["old", "hi"]) twice.tag(1, WireType.LengthDelimited).bytes(text(value));
    assert.deepEqual(encodeBody(fromBinary(BodySchema, twice.finish())), plain);
    assert.deepEqual(Buffer.from(plain.hash), createHash("sha256").update(plain.bytes).digest());
  });

  it("drops fields that this server does not know, at every depth", () => {
    const inner = new BinaryWriter().tag(1, WireType.LengthDelimited).string("hi");
    inner.tag(99, WireType.Varint).uint32(7);
    const outer = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(inner.finish());
    outer.tag(98, WireType.Varint).uint32(7);
    assert.deepEqual(encodeBody(fromBinary(BodySchema, outer.finish())), encodeBody(textBody("hi")));
  });

  it("tells different texts apart", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
        const same = Buffer.from(a).equals(Buffer.from(b));
        assert.equal(Buffer.from(encodeBody(textBody(a)).hash).equals(encodeBody(textBody(b)).hash), same);
      }),
    );
  });

  it("counts texts as messages, and voids not", () => {
    assert.equal(encodeBody(textBody("hi")).isMessage, true);
    assert.equal(voidBody("ann", new Uint8Array(16)).isMessage, false);
  });
});
