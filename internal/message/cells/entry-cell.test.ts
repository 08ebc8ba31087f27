import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { BodySchema, EntryCellSchema, EntrySchema } from "../../gen/heddle/message/v1/entry_pb.js";
import { ServerFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { clientIdOf, textBody } from "../../testing/fakes/message-samples.ts";
import {
  type CellFields,
  decodeCell,
  encodeBody,
  encodeCell,
  entryBytes,
  entryFrame,
  entryOfCell,
  VOID_BODY,
} from "./entry-cell.ts";

const threadId = Uint8Array.from({ length: 16 }, (_, at) => at);

const fields = fc.record({
  sender: fc.stringMatching(/^[a-z0-9._-]{1,64}$/),
  clientId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  baseSeq: fc.maxSafeNat(),
  ordinal: fc.maxSafeNat(),
  createdAtMs: fc.integer({ min: 1, max: 4_102_444_800_000 }),
  body: fc.oneof(
    fc.string({ minLength: 1, unit: "grapheme" }).map((text) => encodeBody(textBody(text))),
    fc.constant(VOID_BODY),
  ),
});

describe("A cell of an entry", () => {
  it("says what was put in, and has the bytes of the schema's own encoding", () => {
    fc.assert(
      fc.property(fields, (given) => {
        const cell = encodeCell(given);
        const said = decodeCell(cell);
        assert.deepEqual(cell, toBinary(EntryCellSchema, said));
        assert.deepEqual(toBinary(EntryCellSchema, messageOf(given)), cell);
      }),
    );
  });

  it("becomes the Entry of its key by cutting and joining bytes", () => {
    fc.assert(
      fc.property(fields, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (given, seq) => {
        const bytes = entryBytes(threadId, seq, encodeCell(given));
        const { payloadHash: _, $typeName: __, $unknown: ___, ...shared } = messageOf(given);
        const entry = create(EntrySchema, { ...shared, threadId, seq: BigInt(seq) });
        assert.deepEqual(bytes, toBinary(EntrySchema, entry));
        assert.equal(fromBinary(EntrySchema, bytes).$unknown, undefined, "the payload hash went along");
      }),
    );
  });

  it("becomes an Entry without its hash as well, as after an erasure", () => {
    const cell = messageOf(sample({ body: encodeBody(textBody("gone")) }));
    cell.payloadHash = new Uint8Array(0);
    const entry = entryOfCell(threadId, 9, toBinary(EntryCellSchema, cell));
    assert.equal(entry.seq, 9n);
    assert.equal(entry.sender, "ann");
    assert.deepEqual(entry.clientId, clientIdOf(1));
  });

  it("is told in one frame whose one event is the entry", () => {
    const cell = encodeCell(sample({ body: encodeBody(textBody("hé")) }));
    const { events } = fromBinary(ServerFrameSchema, entryFrame(threadId, 3, cell));
    assert.equal(events.length, 1);
    assert.equal(events[0]?.kind.case, "entry");
    assert.deepEqual(events[0]?.kind.value, entryOfCell(threadId, 3, cell));
  });
});

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
    assert.equal(VOID_BODY.isMessage, false);
  });
});

function sample(other: Partial<CellFields>): CellFields {
  return {
    sender: "ann",
    clientId: clientIdOf(1),
    baseSeq: 2,
    ordinal: 3,
    createdAtMs: 4,
    body: VOID_BODY,
    ...other,
  };
}

function messageOf({ sender, clientId, baseSeq, ordinal, createdAtMs, body }: CellFields) {
  return create(EntryCellSchema, {
    payloadHash: body.hash,
    sender,
    clientId,
    baseSeq: BigInt(baseSeq),
    ordinal: BigInt(ordinal),
    createdAtMs: BigInt(createdAtMs),
    body: fromBinary(BodySchema, body.bytes),
  });
}
