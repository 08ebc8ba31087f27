import { GroupChanges } from "../../message/group/group-changes.ts";
import { RosterLoader } from "../../message/group/roster-loader.ts";
import { Appender } from "../../message/log/appender.ts";
import { StoreSearch } from "../../message/log/duplicate-search.ts";
import { Gate } from "../../message/log/gate.ts";
import { HeadReader } from "../../message/log/head-finder.ts";
import { Judging } from "../../message/log/judging.ts";
import type { ThreadLog } from "../../message/log/thread-log.ts";
import { ThreadLogs } from "../../message/log/thread-logs.ts";
import { TouchLedger } from "../../message/log/touch-ledger.ts";
import type { Verdict } from "../../message/log/verdict.ts";
import { ThreadReader } from "../../message/thread-reader.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { FakeClock } from "./fake-clock.ts";
import { HookedStore, KeptChannel, MemoryThreads, type Trace } from "./message-ports.ts";
import { type PendingSample, pendingOf } from "./message-samples.ts";

/** What two services share when a test has a second one. */
export type SharedPorts = Partial<Pick<MessageParts, "store" | "threads" | "channel" | "clock" | "trace">>;

/** The append path of one message service, on ports that a test holds in its hands. */
export class MessageParts {
  readonly bucketSize: number;
  readonly trace: Trace;
  readonly clock: FakeClock;
  readonly store: HookedStore;
  readonly threads: MemoryThreads;
  readonly channel: KeptChannel;
  readonly deadlines: Deadlines;
  readonly ledger: TouchLedger;
  readonly gate: Gate;
  readonly search: StoreSearch;
  readonly rosters: RosterLoader;
  readonly judging: Judging;
  readonly appender: Appender;
  readonly logs: ThreadLogs;
  readonly heads: HeadReader;
  readonly reader: ThreadReader;
  readonly changes: GroupChanges;
  /** The direct thread of ann and bob. */
  readonly threadId: Uint8Array;

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
    const deadlines = new Deadlines(clock);
    this.deadlines = deadlines;
    this.ledger = new TouchLedger(clock);
    const { groups, blocks, memory: largeGroups } = threads;
    const gate = new Gate({ threads, groups, channel, clock, ledger: this.ledger, deadlines });
    this.gate = gate;
    const rosters = new RosterLoader({ groups, store, deadlines, bucketSize });
    this.rosters = rosters;
    const judging = new Judging({ rosters, groups, blocks, largeGroups, deadlines });
    this.judging = judging;
    const search = new StoreSearch(store, bucketSize);
    this.search = search;
    const appender = new Appender({ store, search, gate, judging, clock, deadlines, bucketSize });
    this.appender = appender;
    const logs = new ThreadLogs(threads);
    this.logs = logs;
    const heads = new HeadReader(store, bucketSize);
    this.heads = heads;
    this.reader = new ThreadReader({ logs, heads, judging, threads });
    this.changes = new GroupChanges({ logs, appender, clock, expiresMs: 10_000 });
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
