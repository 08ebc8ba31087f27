import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { SeededRandom } from "../testing/fakes/time/seeded-random.ts";
import { Allotment } from "./allotment.ts";

const servers = (loads: readonly number[], loadAtMs?: number) =>
  loads.map((load, at) => ({
    name: `push-${at}`,
    load,
    capacity: 100,
    ...(loadAtMs !== undefined && { loadAtMs }),
  }));

describe("Allotment", () => {
  const random = new SeededRandom(7);
  const made = () => new Allotment(() => random.fraction());

  it("takes the better of two by chance: never the fullest, and not always the emptiest", () => {
    const allotment = made();
    const chosen = Array.from({ length: 200 }, () => allotment.allot(servers([10, 20, 30])).name);
    assert.deepEqual([...new Set(chosen)].sort(), ["push-0", "push-1"]);
  });

  it("counts what it allotted since a load was told, and no more once it is told anew", () => {
    const allotment = made();
    const count = (loadAtMs: number) => {
      const names = Array.from({ length: 60 }, () => allotment.allot(servers([0, 40], loadAtMs)).name);
      return names.filter((name) => name === "push-0").length;
    };
    assert.equal(count(1), 50, "40 until both have the same, and half of the rest");
    assert.equal(count(2), 50);
  });

  it("finds the only one with room, and says when there is none", () => {
    assert.equal(made().allot(servers([100, 100, 99, 100])).name, "push-2");
    const reason = (reason: ErrorReason) => (error: unknown) =>
      error instanceof HeddleError && error.reason === reason;
    assert.throws(() => made().allot(servers([100])), reason(ErrorReason.OVERLOADED));
    assert.throws(() => made().allot([]), reason(ErrorReason.STORE_UNAVAILABLE));
  });
});
