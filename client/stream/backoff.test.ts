import assert from "node:assert/strict";
import { Backoff } from "./backoff.ts";

describe("Backoff", () => {
  it("doubles its ceiling from 0.2 s to 30 s and stays there", () => {
    const backoff = new Backoff(() => 0.999_999);
    const waits = Array.from({ length: 10 }, () => backoff.nextDelayMs());
    assert.deepEqual(
      waits.map((wait) => wait + 1),
      [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000],
    );
  });

  it("spreads each wait over all of its ceiling", () => {
    const backoff = new Backoff(() => 0);
    assert.deepEqual([backoff.nextDelayMs(), backoff.nextDelayMs()], [0, 0]);
  });

  it("adds to what the server asked for, and starts over after a success", () => {
    const backoff = new Backoff(() => 0.5);
    backoff.nextDelayMs();
    backoff.nextDelayMs();
    backoff.reset();
    assert.equal(backoff.nextDelayMs(5_000), 5_100);
  });
});
