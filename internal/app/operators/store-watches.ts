import { hex } from "../../base/ids.ts";
import type { Logger } from "../../base/log.ts";
import { Counter, Gauge, type Metrics } from "../../base/metrics.ts";
import type { StoreWatch } from "../../store/store-watch.ts";

/**
 * Tells the log and the metrics when a store stops serving and when it serves again: one line each, at levels that are
 * shown together, and without a stack, for the disk or the database is at fault and not the code.
 */
export function storeWatches(log: Logger, metrics: Metrics): (store: string) => StoreWatch {
  const down = new Gauge({
    name: "heddle_store_down",
    help: "1 while a store cannot write. 1: sends fail UNAVAILABLE; look at the disk, or the database.",
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
      progress: (what) => log.info({ store, what }, "store is looked at before it opens"),
    };
  };
}

/** How many damaged threads are named in the log: the metric counts on. */
const MAX_NAMED = 1_000;

/** Tells the log, once per thread, and the metrics of logs that a read found damaged. */
export function damageWatch(log: Logger, metrics: Metrics): (threadId: Uint8Array, seq?: number) => void {
  const reads = new Counter({
    name: "heddle_message_damaged_reads_total",
    help: "Reads that failed DATA_LOSS. Any: entries are lost; run heddle admin verify, put a backup back.",
    registers: [metrics],
  });
  const named = new Set<string>();
  return (threadId, seq) => {
    reads.inc();
    const thread = hex(threadId);
    if (named.has(thread) || named.size >= MAX_NAMED) return;
    named.add(thread);
    log.error({ thread, seq }, "a thread's log is damaged: stop, run heddle admin verify, put a backup back");
  };
}
