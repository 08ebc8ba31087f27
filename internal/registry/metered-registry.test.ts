import assert from "node:assert/strict";
import { createMetrics } from "../base/metrics.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { meteredRegistry } from "./metered-registry.ts";
import { registrySuite } from "./registry.suite.ts";
import { SharedRegistry, SharedRegistryClient } from "./shared-registry.ts";

const shared = new SharedRegistry(new FakeClock());

registrySuite("A metered registry", () => ({
  client: () =>
    meteredRegistry(new SharedRegistryClient(shared), createMetrics({ process: false }), shared.clock),
  loseLease: async (service, name) => shared.loseLease(service, name),
  setAway: async (isAway) => shared.setAway(isAway),
}));

describe("A metered registry", () => {
  it("tells how long calls took, and which found their lease gone or no answer", async () => {
    const clock = new FakeClock();
    const client = new SharedRegistryClient(new SharedRegistry(clock));
    const metrics = createMetrics({ process: false });
    const registry = meteredRegistry(client, metrics, clock);
    client.way.answerMs = 250;
    const late = registry.keepAlive("none");
    clock.advance(250);
    assert.equal(await late, false);
    client.way.answerMs = 0;
    client.way.isCut = true;
    await assert.rejects(registry.list("channel"));
    const told = await metrics.metrics();
    assert.match(told, /call_seconds_sum\{call="keepAlive",answer="gone"\} 0\.25\n/);
    assert.match(told, /call_seconds_count\{call="list",answer="away"\} 1\n/);
  });
});
