import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { registrySuite } from "./registry.suite.ts";
import { SharedRegistry, SharedRegistryClient } from "./shared-registry.ts";

const shared = new SharedRegistry(new FakeClock());

registrySuite("SharedRegistry", () => ({
  client: () => new SharedRegistryClient(shared),
  loseLease: async (service, name) => shared.loseLease(service, name),
  setAway: async (isAway) => shared.setAway(isAway),
}));
