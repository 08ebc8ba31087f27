import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { directThreadId, groupThreadId, isGroupThread } from "./thread-id.ts";

describe("Thread ids (docs/design.md, section 12)", () => {
  it("are the same for both users of a direct thread, and say that it is one", () => {
    assert.deepEqual(directThreadId("bob", "ann"), directThreadId("ann", "bob"));
    assert.notDeepEqual(directThreadId("ann", "bob"), directThreadId("ann", "cid"));
    for (const other of ["bob", "cid", "dee"])
      assert.equal(isGroupThread(directThreadId("ann", other)), false);
  });

  it("are made of creator and request_id for a group, with the lowest bit of the last byte clear", () => {
    for (let n = 0; n < 8; n++) {
      const requestId = new Uint8Array(16).fill(n);
      const digest = createHash("sha256")
        .update(Buffer.concat([Buffer.from("group\0ann\0"), requestId]))
        .digest();
      const expected = new Uint8Array(digest.subarray(0, 16));
      expected[15] = (expected[15] ?? 0) & 0xfe;
      assert.deepEqual(groupThreadId("ann", requestId), expected);
      assert.equal(isGroupThread(expected), true);
    }
  });
});
