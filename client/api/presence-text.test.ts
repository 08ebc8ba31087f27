import assert from "node:assert/strict";
import { presenceText } from "./presence-text.ts";

describe("Presence in words", () => {
  const now = 1_700_000_000_000;
  const seen = (agoMs: number) => presenceText({ status: "offline", lastSeenAtMs: now - agoMs }, now);

  it("says who is there, and when somebody was", () => {
    assert.equal(presenceText({ status: "online", lastSeenAtMs: undefined }, now), "online");
    assert.equal(presenceText({ status: "offline", lastSeenAtMs: undefined }, now), "offline");
    assert.equal(presenceText(undefined, now), "");
    assert.equal(seen(59_999), "last seen just now");
    assert.equal(seen(-5_000), "last seen just now");
    assert.equal(seen(5 * 60_000), "last seen 5 min ago");
    assert.equal(seen(3.9 * 3_600_000), "last seen 3 h ago");
    assert.equal(seen(50 * 3_600_000), "last seen 2 d ago");
  });
});
