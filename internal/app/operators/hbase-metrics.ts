import { Counter, type Metrics } from "../../base/metrics.ts";
import type { HbaseMessageStore } from "../../store/hbase/hbase-message-store.ts";

/** Declares what the store of messages in HBase counts. It is read when somebody asks. */
export function exposeHbase(metrics: Metrics, store: Pick<HbaseMessageStore, "counts">): void {
  const counter = (name: string, help: string, read: (counts: HbaseMessageStore["counts"]) => number) =>
    new Counter({
      name,
      help,
      registers: [metrics],
      collect() {
        this.reset();
        this.inc(read(store.counts));
      },
    });
  counter(
    "heddle_hbase_retries_total",
    "Calls that were repeated. Rising: regions move, connections break, or a server is overloaded.",
    ({ retries }) => retries,
  );
  counter(
    "heddle_hbase_lookups_total",
    "Regions that were looked up. Rising after the start: regions move, or servers die.",
    ({ lookups }) => lookups,
  );
  counter(
    "heddle_hbase_unanswered_total",
    "Calls of which nobody knows whether they were done. Rising: servers die, stand still, or are cut off.",
    ({ unanswered }) => unanswered,
  );
  counter(
    "heddle_hbase_own_false_total",
    "Checks answered with no, since an earlier try of the same call had been done. Some after each fault.",
    ({ ownFalse }) => ownFalse,
  );
  counter(
    "heddle_hbase_proofs_total",
    "Heads proved by a write, since a send was about to be refused. Many: clients send what they may not.",
    ({ proofs }) => proofs,
  );
}
