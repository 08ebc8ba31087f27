import type { Logger } from "../base/log.ts";
import { Gauge, type Metrics } from "../base/metrics.ts";
import type { StoreWatch } from "../store/store-watch.ts";

/**
 * Tells the log and the metrics when a store stops serving and when it serves again: one line each, at levels that are
 * shown together, and without a stack, for the disk is at fault and not the code.
 */
export function storeWatches(log: Logger, metrics: Metrics): (store: string) => StoreWatch {
  const down = new Gauge({
    name: "heddle_store_down",
    help: "1 while a store cannot write. 1: sends fail UNAVAILABLE; look at the disk.",
    labelNames: ["store"],
    registers: [metrics],
  });
  return (store) => {
    down.set({ store }, 0);
    return {
      failed: (error) => {
        down.set({ store }, 1);
        const why = error instanceof Error ? error.message : String(error);
        log.error({ store, why }, "store stopped serving");
      },
      recovered: () => {
        down.set({ store }, 0);
        log.warn({ store }, "store serves again");
      },
      noticed: (what) => log.warn({ store, what }, "store opened with a remark"),
    };
  };
}
