import assert from "node:assert/strict";
import { TokenBucket } from "./token-bucket.ts";

describe("TokenBucket", () => {
  const takes = (bucket: TokenBucket, count: number, nowMs: number) =>
    Array.from({ length: count }, () => bucket.takeToken(nowMs)).filter(Boolean).length;

  it("allows a burst and then nothing", () => {
    assert.equal(takes(new TokenBucket(5, 10, 0), 8, 0), 5);
  });

  it("refills steadily, also while it is asked often", () => {
    const bucket = new TokenBucket(5, 10, 0);
    takes(bucket, 5, 0);
    let taken = 0;
    for (let nowMs = 0; nowMs <= 1_000; nowMs += 7) taken += takes(bucket, 1, nowMs);
    assert.ok(taken === 9 || taken === 10, `${taken} of 10`);
  });

  it("never holds more than its burst, and a clock that goes back gives nothing", () => {
    const bucket = new TokenBucket(5, 10, 0);
    assert.equal(takes(bucket, 100, 3_600_000), 5);
    assert.equal(takes(bucket, 1, 0), 0);
  });
});
