import { CALL_SECONDS_BUCKETS, Counter, Gauge, Histogram, type Metrics } from "../base/metrics.ts";

/** What the listeners measure. One per program, shared by its listeners. */
export interface RpcMetrics {
  readonly callSeconds: Histogram<"method" | "code" | "transport">;
  readonly streams: Gauge<"method" | "transport">;
  readonly faults: Counter<"method">;
}

/** Declares the metrics of the listeners. Once per registry. */
export function createRpcMetrics(metrics: Metrics): RpcMetrics {
  return {
    callSeconds: new Histogram({
      name: "heddle_rpc_call_seconds",
      help: "How long unary calls took. High: clients wait; compare with the stores' figures.",
      labelNames: ["method", "code", "transport"],
      buckets: CALL_SECONDS_BUCKETS,
      registers: [metrics],
    }),
    streams: new Gauge({
      name: "heddle_rpc_streams",
      help: "Streams open now. High: sessions; each has up to 256 KiB queued.",
      labelNames: ["method", "transport"],
      registers: [metrics],
    }),
    faults: new Counter({
      name: "heddle_rpc_faults_total",
      help: "Calls that ended INTERNAL / FAULT. Any: a defect, see the log for the request id.",
      labelNames: ["method"],
      registers: [metrics],
    }),
  };
}
