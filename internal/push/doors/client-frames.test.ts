import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import fc from "fast-check";
import { HeddleError, overloaded } from "../../base/heddle-error.ts";
import { type SendRequest, SendRequestSchema } from "../../gen/heddle/message/v1/message_service_pb.js";
import {
  ClientFrameSchema,
  OpenSchema,
  ReceiptFrameSchema,
  TypingFrameSchema,
  WatchSchema,
} from "../../gen/heddle/push/v1/frame_pb.js";
import {
  brokenOpen,
  brokenReceipt,
  brokenSend,
  brokenTyping,
  brokenWatch,
  decodeFrame,
  refusal,
  toSend,
} from "./client-frames.ts";

const validator = createValidator();

/** Lengths and numbers on both sides of every limit. */
const id = fc.constantFrom(0, 15, 16, 17).map((length) => new Uint8Array(length).fill(9));
const seq = fc.constantFrom(0n, 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n);
const name = fc.constantFrom(
  "",
  "ann",
  "a.b_c-9",
  "Ann",
  "a b",
  "é",
  "x".repeat(255),
  "x".repeat(256),
  "auth0|x",
  "-~",
  "\x7f",
);
const text = fc.constantFrom(
  "",
  "a",
  "x".repeat(32_768),
  "x".repeat(32_769),
  "é".repeat(4_096),
  "é".repeat(4_097),
  "😀".repeat(2_049),
);

const send = fc
  .record({
    target: fc.oneof(
      id.map((value) => ({ case: "threadId" as const, value })),
      name.map((value) => ({ case: "toUserId" as const, value })),
      fc.constant({ case: undefined }),
    ),
    clientId: id,
    baseSeq: seq,
    attempt: fc.constantFrom(0, 1, 2, 2 ** 32 - 1),
    body: fc.oneof(
      text.map((value) => ({ kind: { case: "text" as const, value: { text: value } } })),
      fc.constant({}),
      fc.constant(undefined),
    ),
  })
  .map((init) => create(SendRequestSchema, init as never));

function bytes(kind: object): Uint8Array {
  return toBinary(ClientFrameSchema, create(ClientFrameSchema, { kind } as never));
}

function reason(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof HeddleError) return error.reasonName;
    throw error;
  }
  return "fine";
}

describe("Client frames", () => {
  it("break exactly the rules that the schema states", () => {
    const valid = (kind: string) => kind === "valid";
    fc.assert(
      fc.property(send, (request: SendRequest) => {
        const byHand = brokenSend(request) === undefined;
        assert.equal(byHand, valid(validator.validate(SendRequestSchema, request).kind));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(id, seq, seq, (threadId, deliveredSeq, readSeq) => {
        const receipt = create(ReceiptFrameSchema, { threadId, deliveredSeq, readSeq });
        const byHand = brokenReceipt(receipt) === undefined;
        assert.equal(byHand, valid(validator.validate(ReceiptFrameSchema, receipt).kind));
      }),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 3 }), fc.constantFrom(0, 97, 98, 100, 101), (names, more) => {
        const userIds = [...Array.from({ length: more }, (_, at) => `u${at}`), ...names];
        const watch = create(WatchSchema, { userIds });
        assert.equal(brokenWatch(watch) === undefined, valid(validator.validate(WatchSchema, watch).kind));
      }),
      { numRuns: 40 },
    );
    fc.assert(
      fc.property(id, (threadId) => {
        const typing = create(TypingFrameSchema, { threadId });
        const byHand = brokenTyping(typing) === undefined;
        assert.equal(byHand, valid(validator.validate(TypingFrameSchema, typing).kind));
      }),
    );
    fc.assert(
      fc.property(name, fc.constantFrom(0, 64, 65), (deviceId, length) => {
        const open = create(OpenSchema, { deviceId, cursor: new Uint8Array(length) });
        const byHand = brokenOpen(open, deviceId) === undefined;
        assert.equal(byHand, valid(validator.validate(OpenSchema, open).kind));
      }),
    );
  }).timeout(10_000);

  it("are decoded if they are exactly one kind, whatever fields of later versions stand beside", () => {
    const ack = bytes({ case: "ack", value: { upTo: 5n } });
    const unknown = Uint8Array.of(0x7a, 1, 0xff); // Field 15, one byte.
    const said = decodeFrame(Buffer.concat([unknown, ack, unknown]));
    assert.ok(said.case === "ack" && said.value.upTo === 5n);
    assert.equal(
      reason(() => decodeFrame(unknown)),
      "MALFORMED",
    );
    assert.equal(
      reason(() => decodeFrame(Buffer.concat([ack, bytes({ case: "ping", value: {} })]))),
      "MALFORMED",
    );
  });

  it("never fail otherwise than by MALFORMED, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        assert.match(
          reason(() => decodeFrame(noise)),
          /^(fine|MALFORMED)$/,
        );
      }),
      { numRuns: 2_000 },
    );
    const good = bytes({ case: "send", value: { clientId: new Uint8Array(16), attempt: 1 } });
    for (let length = 1; length < good.length; length++) {
      assert.equal(
        reason(() => decodeFrame(good.subarray(0, length))),
        "MALFORMED",
      );
    }
  });

  it("become a send with numbers, and its origin", () => {
    const body = { kind: { case: "text" as const, value: { text: "hi" } } };
    const target = { case: "toUserId" as const, value: "bob" };
    const clientId = new Uint8Array(16).fill(1);
    const request = create(SendRequestSchema, {
      target,
      clientId,
      baseSeq: 2n ** 53n - 1n,
      attempt: 3,
      body,
    });
    const made = toSend(request, "ann", "ff");
    assert.deepEqual(
      [made.userId, made.threadId, made.toUserId, made.baseSeq, made.attempt, made.originSession],
      ["ann", undefined, "bob", 2 ** 53 - 1, 3, "ff"],
    );
    assert.deepEqual([made.clientId, made.body], [clientId, request.body]);
  });

  it("are refused as never committed only if it is the first attempt", () => {
    const refused = (attempt: number) =>
      refusal(create(SendRequestSchema, { attempt }), overloaded("session", 1)).committedNever;
    assert.deepEqual([refused(0), refused(1), refused(2)], [false, true, false]);
  });
});
