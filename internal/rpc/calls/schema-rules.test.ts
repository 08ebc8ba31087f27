import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HeddleError } from "../../base/heddle-error.ts";
import { SendRequestSchema } from "../../gen/heddle/message/v1/message_service_pb.js";
import { SubmitRequestSchema } from "../../gen/heddle/push/v1/push_service_pb.js";
import { brokenRule, checkOwnRules, checkRules } from "./schema-rules.ts";

const send = (changes: MessageInitShape<typeof SendRequestSchema> = {}) =>
  create(SendRequestSchema, {
    target: { case: "toUserId", value: "bob" },
    clientId: new Uint8Array(16),
    body: { kind: { case: "text", value: { text: "hi" } } },
    ...changes,
  } as MessageInitShape<typeof SendRequestSchema>);

describe("The rules of the schema", () => {
  it("pass a message that keeps them", () => {
    assert.equal(brokenRule(SendRequestSchema, send()), undefined);
  });

  const broken: [MessageInitShape<typeof SendRequestSchema>, string, string][] = [
    [{ clientId: new Uint8Array(15) }, "client_id", "bytes.len"],
    [{ target: { case: "toUserId", value: "Bob B" } }, "to_user_id", "string.pattern"],
    [{ baseSeq: 2n ** 53n }, "base_seq", "uint64.lte"],
    [{ body: { kind: { case: "text", value: { text: "" } } } }, "body.text.text", "string.min_bytes"],
    [
      { body: { kind: { case: "text", value: { text: "é".repeat(16_385) } } } },
      "body.text.text",
      "string.max_bytes",
    ],
    [{ body: {} }, "body.kind", "required"],
    [{ target: { case: undefined } }, "target", "required"],
  ];
  for (const [changes, field, rule] of broken) {
    it(`name ${field} and ${rule}`, () => {
      const error = brokenRule(SendRequestSchema, send(changes));
      assert.ok(error instanceof HeddleError);
      assert.deepEqual(error.metadata, { field, rule });
    });
  }

  it("of a message whose parts are judged one by one are those of its own fields", () => {
    const submit = (frames: MessageInitShape<typeof SubmitRequestSchema>["frames"]) =>
      create(SubmitRequestSchema, frames ? { frames } : {});
    const wrong = { kind: { case: "send" as const, value: send({ clientId: new Uint8Array(1) }) } };
    assert.throws(() => checkRules(SubmitRequestSchema, submit([wrong])), { reasonName: "INVALID_FIELD" });
    checkOwnRules(SubmitRequestSchema, submit([wrong, {}]));
    const many = submit(Array.from({ length: 257 }, () => wrong));
    assert.throws(() => checkOwnRules(SubmitRequestSchema, many), {
      metadata: { field: "frames", rule: "repeated.max_items" },
    });
    assert.throws(() => checkOwnRules(SubmitRequestSchema, submit([])), {
      metadata: { field: "frames", rule: "repeated.min_items" },
    });
  });
});
