import assert from "node:assert/strict";
import { ErrorReason } from "../../base/heddle-error.ts";
import { THREAD } from "../../peers/thread-methods.ts";
import { SharedRegistry, SharedRegistryClient } from "../../registry/shared-registry.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import { Neighbours } from "./neighbours.ts";

describe("The neighbours of a program", () => {
  it("are asked nothing while none is registered: calls are refused, and notices lost", async () => {
    const [clock, loop] = [new FakeClock(), new ManualLoop()];
    const neighbours = new Neighbours({
      registry: new SharedRegistryClient(new SharedRegistry(clock)),
      clock,
      tick: loop.tick,
      dial: () => assert.fail("nobody is there to dial"),
      random: Math.random,
    });
    const threads = neighbours.anyLink("thread");
    threads.notify(THREAD.deviceUsed, { userId: "ann", deviceId: "a" });
    await assert.rejects(threads.call(THREAD.groups, { userId: "ann" }, 1_000), {
      reason: ErrorReason.PEER_UNAVAILABLE,
    });
    neighbours.close();
  });
});
