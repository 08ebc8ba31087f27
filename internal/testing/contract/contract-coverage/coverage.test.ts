import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { DrainingReason, ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import { PushService } from "../../../gen/heddle/push/v1/push_service_pb.js";
import { ListDevicesRequestSchema, ThreadService } from "../../../gen/heddle/thread/v1/thread_service_pb.js";
import { Coverage } from "./coverage.ts";

describe("Coverage of the contract", () => {
  const frame = (afterMs: number) =>
    create(ServerFrameSchema, {
      events: [{ kind: { case: "draining", value: { afterMs, reason: DrainingReason.REPLACED } } }],
    });

  it("counts fields that say something, arms and enum values, however deep they stand", () => {
    const coverage = new Coverage();
    const before = coverage.missingOf([PushService]);
    coverage.note("response", ServerFrameSchema, frame(0));
    const after = new Set(coverage.missingOf([PushService]));
    assert.deepEqual(
      before.filter((part) => !after.has(part)),
      [
        "response heddle.push.v1.Draining",
        "response heddle.push.v1.Draining.reason",
        "response heddle.push.v1.DrainingReason.DRAINING_REASON_REPLACED",
        "response heddle.push.v1.Event",
        "response heddle.push.v1.Event.draining",
        "response heddle.push.v1.ServerFrame",
        "response heddle.push.v1.ServerFrame.events",
      ],
    );
    assert.ok(after.has("response heddle.push.v1.Draining.after_ms"));
    coverage.note("response", ServerFrameSchema, frame(1));
    assert.ok(!coverage.missingOf([PushService]).includes("response heddle.push.v1.Draining.after_ms"));
  });

  it("keeps what clients say and what servers say apart", () => {
    const coverage = new Coverage();
    const sent = "request heddle.message.v1.Text.text";
    assert.ok(coverage.missingOf([PushService]).includes(sent));
    const entry = { body: { kind: { case: "text" as const, value: { text: "hi" } } } };
    const events = [{ kind: { case: "entry" as const, value: entry } }];
    coverage.note("response", ServerFrameSchema, create(ServerFrameSchema, { events }));
    const missing = coverage.missingOf([PushService]);
    assert.ok(missing.includes(sent) && !missing.includes("response heddle.message.v1.Text.text"));
  });

  it("wants messages without fields too, and nothing that means not set", () => {
    const coverage = new Coverage();
    const part = "request heddle.thread.v1.ListDevicesRequest";
    assert.ok(coverage.missingOf([ThreadService]).includes(part));
    coverage.note("request", ListDevicesRequestSchema, create(ListDevicesRequestSchema));
    const missing = coverage.missingOf([ThreadService, PushService]);
    assert.ok(!missing.includes(part));
    assert.ok(missing.every((one) => !one.endsWith("_UNSPECIFIED")));
  });
});
