import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { SendRequestSchema } from "../gen/heddle/message/v1/message_service_pb.js";
import { SubmitRequestSchema } from "../gen/heddle/push/v1/push_service_pb.js";
import { Code, ErrorReason, HeddleError } from "./heddle-error.ts";
import { createLog, loggable } from "./log.ts";

const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";

describe("The log", () => {
  let lines: string[];
  const log = () => createLog({ level: "trace", destination: { write: (line) => void lines.push(line) } });
  const logged = () => JSON.parse(lines.at(-1) ?? "{}");
  beforeEach(() => {
    lines = [];
  });

  it("is lines of JSON with level, time, fields and a message", () => {
    log().info({ port: 1 }, "listening");
    const { level, time, port, msg } = logged();
    assert.deepEqual({ level, port, msg }, { level: "info", port: 1, msg: "listening" });
    assert.match(time, /^\d{4}-\d\d-\d\dT/);
  });

  it("never shows what stands under the name of a credential or a body, however deep", () => {
    const secret = { authorization: "Bearer x", body: "hello bob", ticket: "t", a: [{ text: "hello bob" }] };
    log().warn({ call: secret, token: "x" }, "refused");
    assert.doesNotMatch(lines.join(), /hello bob|Bearer x|"x"|"t"/);
    assert.equal(logged().call.body, "[redacted]");
  });

  it("never shows what looks like a token, in a field, a message or an error", () => {
    const cause = new Error(`bad ${token}`);
    log().error({ note: `got ${token}`, err: new Error(`no ${token}`, { cause }) }, `for ${token}`);
    log().child({ by: token }).info("%s", token);
    assert.equal(lines.length, 2);
    assert.doesNotMatch(lines.join(), /eyJ/);
  });

  it("shows an error with its code, reason, metadata, stack and cause", () => {
    const cause = new TypeError("below");
    const init = { metadata: { store: "message" }, cause };
    const err = new HeddleError(Code.UNAVAILABLE, ErrorReason.STORE_UNAVAILABLE, "away", init);
    log().error({ err }, "failed");
    const shown = logged().err;
    assert.equal(shown.message, "away");
    assert.deepEqual(shown.metadata, { store: "message" });
    assert.match(shown.stack, /log\.test\.ts/);
    assert.equal(shown.cause.message, "below");
  });

  it("shows ids as hex and longer bytes as their number", () => {
    log().info({ id: Uint8Array.of(1, 255), frame_bytes: new Uint8Array(100), n: 5n }, "bytes");
    const { id, frame_bytes: bytes, n } = logged();
    assert.deepEqual({ id, bytes, n }, { id: "01ff", bytes: "[100 bytes]", n: "5" });
  });

  it("stands an object that refers to itself", () => {
    const loop: Record<string, unknown> = { name: "loop" };
    loop.self = loop;
    log().info({ loop }, "round");
    assert.match(lines.join(), /too deep/);
  });
});

describe("A message of the contract, made loggable,", () => {
  const send = create(SendRequestSchema, {
    target: { case: "toUserId", value: "bob" },
    clientId: Uint8Array.of(1, 2),
    baseSeq: 7n,
    body: { kind: { case: "text", value: { text: "hello bob" } } },
  });

  it("has no field that the schema marks debug_redact", () => {
    assert.deepEqual(loggable(SendRequestSchema, send), {
      to_user_id: "bob",
      client_id: "0102",
      base_seq: "7",
    });
  });

  it("has none of them further down either", () => {
    const submit = create(SubmitRequestSchema, { frames: [{ kind: { case: "send", value: send } }] });
    assert.deepEqual(loggable(SubmitRequestSchema, submit), {
      frames: [{ send: { to_user_id: "bob", client_id: "0102", base_seq: "7" } }],
    });
  });
});
