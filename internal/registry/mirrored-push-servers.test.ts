import assert from "node:assert/strict";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { Mirror } from "./mirror.ts";
import { MirroredPushServers, pushServerDetails } from "./mirrored-push-servers.ts";
import { Registration } from "./registration.ts";
import { SharedRegistry, SharedRegistryClient } from "./shared-registry.ts";

describe("Push servers by a mirror", () => {
  it("are undefined while nothing is loaded, and have addresses, load and state", async () => {
    const clock = new FakeClock();
    const shared = new SharedRegistry(clock);
    const registry = new SharedRegistryClient(shared);
    const addresses = { grpcUrl: "http://a", webUrl: "http://b", capacity: 100 };
    const offer = {
      service: "push",
      name: "p",
      address: "p:1",
      build: "b",
      details: pushServerDetails(addresses),
    };
    const registration = new Registration({ registry, clock, offer });
    await registration.start();
    registration.tellLoad(7);
    registry.way.isCut = true;
    const mirror = new Mirror({ registry, clock, service: "push" });
    void mirror.start();
    const servers = new MirroredPushServers({ registry, clock, mirror });
    await quiet();
    assert.equal(servers.pushServers(), undefined);
    registry.way.isCut = false;
    for (let at = 0; at < 3; at++) {
      clock.advance(2_000);
      await quiet();
    }
    const loadAtMs = clock.monotonicMs();
    const known = { name: "p", ...addresses, load: 7, loadAtMs, isLeaving: false };
    assert.deepEqual(servers.pushServers(), [known]);
    await registration.leaving();
    await quiet();
    assert.deepEqual(servers.pushServers(), [{ ...known, isLeaving: true }]);
    servers.close();
    mirror.close();
    registration.stop();
  });
});
