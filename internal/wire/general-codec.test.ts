import assert from "node:assert/strict";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { BodySchema, EntryCellSchema, EntrySchema, MemberRole } from "../gen/heddle/message/v1/entry_pb.js";
import { ListEntriesResponseSchema } from "../gen/heddle/message/v1/message_service_pb.js";
import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { encodeCell, entriesField } from "./entry-bytes.ts";
import { acceptedFrame, type EventKind, entryFrame } from "./event-frames.ts";

const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
/** Values around every length of a varint, 1 … 2^53 − 1. */
const number = fc.oneof(
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  fc.integer({ min: 1, max: 53 }).map((bits) => 2 ** bits - 1),
  fc.integer({ min: 0, max: 52 }).map((bits) => 2 ** bits),
);
const numberOr0 = fc.oneof(fc.constant(0), number);
const member = fc.record({ userId: fc.constantFrom("ann", "bob"), role: fc.constantFrom(MemberRole.OWNER) });

const body = fc
  .oneof(
    fc.string({ minLength: 1, unit: "grapheme" }).map((text) => ({ case: "text" as const, value: { text } })),
    fc.constant({ case: "void" as const, value: {} }),
    fc.record({ added: fc.array(member), memberCount: fc.nat() }).map((value) => ({
      case: "memberChange" as const,
      value,
    })),
  )
  .map((kind) => create(BodySchema, { kind }));

/** What a cell says, and the key that it stands under. */
const said = fc.record({
  threadId: id,
  seq: number,
  hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  sender: fc.stringMatching(/^[!-~]{1,255}$/),
  clientId: id,
  baseSeq: numberOr0,
  ordinal: numberOr0,
  createdAtMs: fc.integer({ min: 1, max: 8.64e15 }),
  body,
});
type Said = typeof said extends fc.Arbitrary<infer T> ? T : never;

const accepted = fc.record({
  threadId: id,
  clientId: id,
  seq: number,
  createdAtMs: fc.integer({ min: 1, max: 8.64e15 }),
  duplicate: fc.boolean(),
  recipientOffline: fc.option(fc.boolean(), { nil: undefined }),
});

function general<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Uint8Array {
  return toBinary(schema, create(schema, init));
}

function frame(kind: EventKind): Uint8Array {
  return general(ServerFrameSchema, { events: [{ kind }] });
}

/** The fields that a cell and an Entry share. */
function shared({ sender, clientId, baseSeq, ordinal, createdAtMs, body: whole }: Said) {
  const numbers = { baseSeq: BigInt(baseSeq), ordinal: BigInt(ordinal), createdAtMs: BigInt(createdAtMs) };
  return { sender, clientId, ...numbers, body: whole };
}

function entry(of: Said) {
  return create(EntrySchema, { ...shared(of), threadId: of.threadId, seq: BigInt(of.seq) });
}

function cell(of: Said): Uint8Array {
  return encodeCell({ ...of, body: { bytes: toBinary(BodySchema, of.body), hash: of.hash } });
}

/** One thing that is written by hand, from what it says, beside what the general encoder makes of the same. */
function equal<T>(
  what: string,
  values: fc.Arbitrary<T>,
  byHand: (value: T) => Uint8Array,
  by: (value: T) => Uint8Array,
) {
  return {
    what,
    check: () => fc.assert(fc.property(values, (value) => same(what, byHand(value), by(value)))),
  };
}

function same(what: string, byHand: Uint8Array, by: Uint8Array): void {
  assert.deepEqual(Buffer.from(byHand), Buffer.from(by), what);
}

/** Everything that this folder writes: each new thing needs a line here. What it reads is in plain-frames.test.ts. */
const WRITTEN = [
  equal("cell", said, cell, (of) => general(EntryCellSchema, { ...shared(of), payloadHash: of.hash })),
  equal(
    "entries of a page",
    fc.array(said, { maxLength: 3 }).map((all) => all.map((of) => ({ ...of, threadId: new Uint8Array(16) }))),
    (all) =>
      entriesField(
        new Uint8Array(16),
        all.map((of) => ({ seq: of.seq, value: cell(of) })),
      ),
    (all) => general(ListEntriesResponseSchema, { entries: all.map(entry) }),
  ),
  equal(
    "entry",
    said,
    (of) => entryFrame(of.threadId, of.seq, cell(of)),
    (of) => frame({ case: "entry", value: entry(of) }),
  ),
  equal(
    "entry of an erased cell, which has no hash",
    said,
    (of) => entryFrame(of.threadId, of.seq, general(EntryCellSchema, shared(of))),
    (of) => frame({ case: "entry", value: entry(of) }),
  ),
  equal("accepted", accepted, acceptedFrame, ({ seq, createdAtMs, recipientOffline, ...rest }) => {
    const value = { ...rest, seq: BigInt(seq), createdAtMs: BigInt(createdAtMs) };
    return frame({
      case: "accepted",
      value: recipientOffline === undefined ? value : { ...value, recipientOffline },
    });
  }),
];

describe("What is written by hand", () => {
  it("has the bytes of the general encoder", () => {
    for (const { check } of WRITTEN) check();
  });
});
