import { assemble } from "../../../message/assemble.ts";
import type { LogStore } from "../../../message/cells/log-store.ts";
import type { Judging } from "../../../message/group/judging.ts";
import type { RosterLoader } from "../../../message/group/roster-loader.ts";
import type { GroupChanges } from "../../../message/group-changes.ts";
import type { Appender } from "../../../message/log/appender.ts";
import { StoreSearch } from "../../../message/log/duplicate-search.ts";
import type { Gate } from "../../../message/log/gate.ts";
import type { HeadReader } from "../../../message/log/head-finder.ts";
import type { ThreadLog } from "../../../message/log/thread-log.ts";
import type { ThreadLogs } from "../../../message/log/thread-logs.ts";
import type { TouchLedger } from "../../../message/log/touch-ledger.ts";
import type { Verdict } from "../../../message/log/verdict.ts";
import type { Views } from "../../../message/log/views.ts";
import type { Resolver } from "../../../message/resolve.ts";
import type { ThreadReader } from "../../../message/thread-reader.ts";
import type { Deadlines } from "../../../stream/deadlines.ts";
import { FakeClock } from "../time/fake-clock.ts";
import { HookedStore, KeptChannel, MemoryThreads, type Trace } from "./message-ports.ts";
import { type PendingSample, pendingOf } from "./message-samples.ts";

/** What two services share when a test has a second one. */
export type SharedPorts = Partial<Pick<MessageParts, "store" | "threads" | "channel" | "clock" | "trace">>;

/** The append path of one message service, on ports that a test holds in its hands. */
export class MessageParts {
  /** Entries of a row: few, so that tests meet the next one. */
  readonly bucketSize: number;
  /** What store, threads and channel were called for, in one order. */
  readonly trace: Trace;
  readonly clock: FakeClock;
  readonly store: HookedStore;
  readonly threads: MemoryThreads;
  readonly channel: KeptChannel;
  readonly logStore: LogStore;
  readonly deadlines: Deadlines;
  readonly ledger: TouchLedger;
  readonly gate: Gate;
  readonly search: StoreSearch;
  readonly rosters: RosterLoader;
  readonly judging: Judging;
  readonly appender: Appender;
  readonly logs: ThreadLogs;
  readonly heads: HeadReader;
  readonly views: Views;
  readonly reader: ThreadReader;
  readonly changes: GroupChanges;
  readonly resolver: Resolver;
  /** The direct thread of ann and bob. */
  readonly threadId: Uint8Array;

  /** `shared`: of an earlier one, so that this is a second service over the same ports. */
  constructor(bucketSize = 4, shared: SharedPorts = {}) {
    this.bucketSize = bucketSize;
    const trace = shared.trace ?? [];
    this.trace = trace;
    const clock = shared.clock ?? new FakeClock();
    this.clock = clock;
    const store = shared.store ?? new HookedStore(trace);
    this.store = store;
    const threads = shared.threads ?? new MemoryThreads(trace, clock);
    this.threads = threads;
    const channel = shared.channel ?? new KeptChannel(trace);
    this.channel = channel;
    const { groups, blocks, memory: largeGroups } = threads;
    const parts = assemble({ store, threads, groups, blocks, largeGroups, channel, clock, bucketSize });
    this.logStore = parts.store;
    this.deadlines = parts.deadlines;
    this.ledger = parts.ledger;
    this.gate = parts.gate;
    this.search = new StoreSearch(parts.store);
    this.rosters = parts.rosters;
    this.judging = parts.judging;
    this.appender = parts.appender;
    this.logs = parts.logs;
    this.heads = parts.heads;
    this.views = parts.views;
    this.reader = parts.reader;
    this.changes = parts.changes;
    this.resolver = parts.resolver;
    this.threadId = threads.add("ann", "bob");
  }

  /** The log of ann and bob. */
  open(): Promise<ThreadLog> {
    return this.logs.open(this.threadId, "ann");
  }

  /** Queues a send and resolves to what became of it. A second verdict is thrown, into the code that gave it. */
  append(log: ThreadLog, sample: PendingSample = {}): Promise<Verdict> {
    return new Promise((resolve) => {
      let settled = false;
      const settle = (verdict: Verdict) => {
        if (settled) throw new Error("settled twice");
        settled = true;
        resolve(verdict);
      };
      this.appender.append(log, pendingOf({ ...sample, settle }));
    });
  }
}
