import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { hex } from "../base/ids.ts";
import type { Send } from "../base/send.ts";
import { BodySchema } from "../gen/heddle/message/v1/entry_pb.js";
import { ClientFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";
import { brokenSend, decodeFrame, toSend } from "../push/doors/client-frames.ts";
import { plainAck, plainSend } from "./plain-frames.ts";

const name = fc.stringMatching(/^[!-~]{1,255}$/);
const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
const text = fc.oneof(
  fc.string({ minLength: 1, unit: "grapheme" }),
  fc.constantFrom("x".repeat(32_768), "é".repeat(16_384), "\uFEFFmark", "\0"),
);

/** Sends within every rule. */
const good = fc.record({
  target: fc.oneof(
    id.map((value) => ({ case: "threadId" as const, value })),
    name.map((value) => ({ case: "toUserId" as const, value })),
  ),
  clientId: id,
  baseSeq: fc.oneof(
    fc.integer({ min: 0, max: 48 }).map((bits) => 2n ** BigInt(bits)),
    fc.constant(0n),
  ),
  attempt: fc.oneof(fc.nat({ max: 3 }), fc.constant(2 ** 28 - 1)),
  logEpoch: fc.oneof(
    fc.integer({ min: 0, max: 41 }).map((bits) => 2n ** BigInt(bits)),
    fc.constant(0n),
  ),
  body: text.map((value) => ({ kind: { case: "text" as const, value: { text: value } } })),
});

/** Sends that may break a rule or another. */
const any = fc.record({
  target: fc.oneof(
    fc.uint8Array({ minLength: 15, maxLength: 18 }).map((value) => ({ case: "threadId" as const, value })),
    fc
      .constantFrom("", "Ann", "é", "bob", "x".repeat(255), "x".repeat(256))
      .map((value) => ({ case: "toUserId" as const, value })),
    fc.constant({ case: undefined }),
  ),
  clientId: fc.uint8Array({ minLength: 15, maxLength: 18 }),
  baseSeq: fc.constantFrom(0n, 1n, 2n ** 49n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n),
  attempt: fc.constantFrom(0, 1, 2 ** 28, 2 ** 32 - 1),
  logEpoch: fc.constantFrom(0n, 1n, 2n ** 42n - 1n, 2n ** 42n, 2n ** 64n - 1n),
  body: fc.constantFrom(
    undefined,
    {},
    { kind: { case: "void" as const, value: {} } },
    ...["", "hi", "x".repeat(32_769)].map((value) => ({
      kind: { case: "text" as const, value: { text: value } },
    })),
  ),
});

/** What somebody may do to bytes on their way. */
const damage = fc.record({
  how: fc.constantFrom("set", "insert", "remove", "cut", "append", "twice"),
  at: fc.nat({ max: 120 }),
  byte: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2, 0x0a, 0x10, 0x12, 0x1a, 0x80, 0xff)),
});

function damaged(
  bytes: Uint8Array,
  { how, at, byte }: { how: string; at: number; byte: number },
): Uint8Array {
  const where = at % (bytes.length + 1);
  const [before, behind] = [bytes.subarray(0, where), bytes.subarray(where)];
  const one = Uint8Array.of(byte);
  if (how === "set") return Buffer.concat([before, one, behind.subarray(1)]);
  if (how === "insert") return Buffer.concat([before, one, behind]);
  if (how === "remove") return Buffer.concat([before, behind.subarray(1)]);
  if (how === "cut") return before;
  return Buffer.concat([bytes, how === "twice" ? bytes : one]);
}

function encoded(kind: object): Uint8Array {
  return toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as never));
}

/** Orders in which a library may write the fields of a send: one number for each, the least first. */
const order = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });

/** A frame with the fields of its send in another order. */
function reordered(bytes: Uint8Array, numbers: readonly number[]): Uint8Array {
  const outer = new BinaryReader(bytes);
  outer.tag();
  const inner = outer.bytes();
  const reader = new BinaryReader(inner);
  const fields: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const [number, wireType] = reader.tag();
    reader.skip(wireType, number);
    fields.push(inner.subarray(from, reader.pos));
  }
  const sorted = fields
    .map((field, at) => ({ field, by: numbers[at] ?? 0 }))
    .sort((a, b) => a.by - b.by)
    .map(({ field }) => field);
  return frame(...sorted);
}

/** A frame whose send has these fields, encoded. */
function frame(...fields: readonly Uint8Array[]): Uint8Array {
  return new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(Buffer.concat(fields)).finish();
}

/** What the general decoder and its checks make of it; undefined for everything that they refuse. */
function generalSend(bytes: Uint8Array): Send | undefined {
  try {
    const said = decodeFrame(bytes);
    if (said.case !== "send" || brokenSend(said.value)) return undefined;
    return toSend(said.value, "ann", "ff");
  } catch {
    return undefined;
  }
}

function generalAck(bytes: Uint8Array): bigint | undefined {
  try {
    const said = decodeFrame(bytes);
    return said.case === "ack" ? said.value.upTo : undefined;
  } catch {
    return undefined;
  }
}

/** Comparable: bytes as bytes, and the body as this server encodes it. */
function shown(send: Send | undefined) {
  if (!send) return undefined;
  const { body, clientId, threadId, ...rest } = send;
  const bytes = body instanceof Uint8Array ? body : toBinary(BodySchema, body, { writeUnknownFields: false });
  return { ...rest, ids: [clientId, threadId].map((one) => one && hex(one)), body: hex(bytes) };
}

describe("A plain send", () => {
  it("is read where it stands, as the general decoder would have, in whatever order its fields are", () => {
    fc.assert(
      fc.property(good, order, (value, numbers) => {
        const bytes = reordered(encoded({ case: "send", value }), numbers);
        const plain = plainSend(bytes, "ann", "ff");
        assert.ok(plain, "a good send was left to the general decoder");
        assert.deepEqual(shown(plain), shown(generalSend(bytes)));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never what the general decoder refuses or reads otherwise, whatever the bytes", () => {
    const frames = fc
      .tuple(fc.oneof(any, good), order)
      .map(([value, numbers]) => reordered(encoded({ case: "send", value }), numbers));
    const noise = fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(0x12, rest.length, ...rest));
    fc.assert(
      fc.property(fc.oneof(frames, frames, noise), fc.array(damage, { maxLength: 2 }), (bytes, harm) => {
        const sent = harm.reduce(damaged, bytes);
        const plain = plainSend(sent, "ann", "ff");
        if (plain) assert.deepEqual(shown(plain), shown(generalSend(sent)));
      }),
      { numRuns: 20_000 },
    );
  }).timeout(60_000);

  it("is left to the general decoder if a field is twice, unknown, or longer than it need be", () => {
    const value = {
      target: { case: "threadId", value: new Uint8Array(16) },
      clientId: new Uint8Array(16),
      attempt: 1,
    };
    const body = { kind: { case: "text", value: { text: "hi" } } };
    const send = encoded({ case: "send", value: { ...value, body } });
    assert.ok(plainSend(send, "ann", "ff"));
    const inner = send.subarray(2);
    const [threadId, clientId] = [inner.subarray(0, 18), inner.subarray(18, 36)];
    const [attempt, last] = [inner.subarray(36, 38), inner.subarray(38)];
    const others = {
      twice: frame(threadId, clientId, clientId, attempt, last),
      "two targets": frame(threadId, Uint8Array.of(0x12, 3, ...Buffer.from("bob")), clientId, attempt, last),
      "the body twice": frame(threadId, last, clientId, attempt, last),
      "a longer length": frame(
        threadId,
        clientId,
        attempt,
        Uint8Array.of(0x32, 0x86, 0, ...last.subarray(2)),
      ),
      "a text with more beside it": frame(
        threadId,
        clientId,
        Uint8Array.of(0x32, 8, 0x0a, 6, 0x0a, 2, ...Buffer.from("hi"), 0x78, 1),
      ),
      unknown: frame(inner, Uint8Array.of(0x78, 1)),
      longer: frame(threadId, clientId, Uint8Array.of(0x28, 0x81, 0), last),
      // A thread_id of 18 bytes whose length is to_user_id's tag, and in it what that would need.
      "another field within": frame(
        Uint8Array.of(0x0a, 0x12, 3, ...Buffer.from("bob")),
        Uint8Array.of(0x1a, 0x10, ...new Uint8Array(12), 0x78, 1, 0x78, 1),
        attempt,
        last,
      ),
      "an ill text": frame(inner.subarray(0, -1), Uint8Array.of(0xff)),
    };
    for (const [why, bytes] of Object.entries(others))
      assert.equal(plainSend(bytes, "ann", "ff"), undefined, why);
  });
});

describe("A plain ack", () => {
  it("is read where it stands, as the general decoder would have", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.constantFrom(1, 127, 128, 2 ** 32, 2 ** 49 - 1)), (upTo) => {
        assert.equal(plainAck(encoded({ case: "ack", value: { upTo: BigInt(upTo) } })) ?? 0, upTo);
      }),
    );
  });

  it("is never what the general decoder refuses or reads otherwise, whatever the bytes", () => {
    const numbers = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat().map(BigInt));
    const frames = numbers.map((upTo) => encoded({ case: "ack", value: { upTo } }));
    const noise = fc.uint8Array({ maxLength: 12 }).map((rest) => Uint8Array.of(0x22, rest.length, ...rest));
    fc.assert(
      fc.property(fc.oneof(frames, noise), fc.array(damage, { maxLength: 2 }), (bytes, harm) => {
        const sent = harm.reduce(damaged, bytes);
        const upTo = plainAck(sent);
        if (upTo !== undefined) assert.equal(BigInt(upTo), generalAck(sent));
      }),
      { numRuns: 10_000 },
    );
  }).timeout(60_000);
});
