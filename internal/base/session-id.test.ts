import assert from "node:assert/strict";
import { hex } from "./ids.ts";
import { isOfDevice, isOnPushServer, newSessionId } from "./session-id.ts";

describe("A session id", () => {
  it("says to those who know the names which push server and device it belongs to", () => {
    const id = newSessionId("push-1", "ann", "phone");
    assert.equal(id.length, 16);
    assert.ok(isOnPushServer(id, "push-1"));
    assert.ok(!isOnPushServer(id, "push-2"));
    assert.ok(isOfDevice(id, "ann", "phone"));
    assert.ok(!isOfDevice(id, "ann", "tablet"));
    assert.ok(!isOfDevice(id, "bob", "phone"));
  });

  it("is another one each time", () => {
    const ids = Array.from({ length: 100 }, () => hex(newSessionId("push", "ann", "phone")));
    assert.equal(new Set(ids).size, 100);
  });
});
