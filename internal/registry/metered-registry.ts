import type { Clock } from "../base/clock.ts";
import { CALL_SECONDS_BUCKETS, Histogram, type Metrics } from "../base/metrics.ts";
import type { Registry } from "./registry.ts";

/** A registry whose calls are timed. Once per Metrics. */
export function meteredRegistry(registry: Registry, metrics: Metrics, clock: Clock): Registry {
  const seconds = new Histogram({
    name: "heddle_registry_call_seconds",
    help: "How long calls of the registry took. `away`: not answered. High keepAlive: a lease is lost after 10 s without one.",
    labelNames: ["call", "answer"],
    buckets: CALL_SECONDS_BUCKETS,
    registers: [metrics],
  });
  const timed = async <T>(call: string, answer: Promise<T>): Promise<T> => {
    const sentAtMs = clock.monotonicMs();
    const took = (how: string) =>
      seconds.observe({ call, answer: how }, (clock.monotonicMs() - sentAtMs) / 1_000);
    try {
      const value = await answer;
      took(value === false ? "gone" : "answered");
      return value;
    } catch (error) {
      took("away");
      throw error;
    }
  };
  return {
    register: (offer, above) => timed("register", registry.register(offer, above)),
    keepAlive: (lease) => timed("keepAlive", registry.keepAlive(lease)),
    setState: (lease, state) => timed("setState", registry.setState(lease, state)),
    revoke: (lease) => timed("revoke", registry.revoke(lease)),
    list: (service) => timed("list", registry.list(service)),
    tellLoad: (lease, load) => timed("tellLoad", registry.tellLoad(lease, load)),
    loads: (service) => timed("loads", registry.loads(service)),
    watch: (service, revision, watcher) => registry.watch(service, revision, watcher),
  };
}
