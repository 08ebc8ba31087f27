import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export { Counter, Gauge, Histogram };

/**
 * The metrics of one program, served on the admin port. Each service declares its own beside the code they measure,
 * in its `metrics.ts`, in this registry: `heddle_<service>_<what>_<unit>`, with a help text that says what a high
 * value means, and never a user or thread id as a label.
 */
export type Metrics = Registry;

/** A fresh registry. With `process`, also Node's own figures (CPU, heap, event loop lag), under the names that dashboards know. */
export function createMetrics(options: { readonly process: boolean }): Metrics {
  const registry = new Registry();
  if (options.process) collectDefaultMetrics({ register: registry });
  return registry;
}

/** Seconds that calls take, from half a millisecond to the longest deadline. */
export const CALL_SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
