import assert from "node:assert/strict";
import { systemClock } from "./clock.ts";

describe("The machine's clock", () => {
  it("never calls back early, by its own monotonic time", async () => {
    const late = Array.from({ length: 400 }, (_, at) => {
      const ms = 5 + at / 16;
      const startedMs = systemClock.monotonicMs();
      return new Promise<number>((resolve) => {
        systemClock.after(ms, () => resolve(systemClock.monotonicMs() - startedMs - ms));
        for (const until = performance.now() + 0.1; performance.now() < until; );
      });
    });
    const keepsAlive = setInterval(() => {}, 1_000);
    assert.deepEqual(
      (await Promise.all(late)).filter((ms) => ms < 0),
      [],
    );
    clearInterval(keepsAlive);
  });
});
