import type { Clock } from "../base/clock.ts";
import { BUCKET_SIZE } from "../base/head.ts";
import { type History, NO_HISTORY } from "../base/history.ts";
import { Deadlines } from "../stream/deadlines.ts";
import { LogStore } from "./cells/log-store.ts";
import { Comparison } from "./comparison.ts";
import { Judging } from "./group/judging.ts";
import { RosterLoader } from "./group/roster-loader.ts";
import { GroupChanges } from "./group-changes.ts";
import { Hiding } from "./hiding.ts";
import { LateTries } from "./late-tries.ts";
import { APPEND_DEADLINE_MS, READ_DEADLINE_MS } from "./limits.ts";
import { Appender } from "./log/appender.ts";
import { type DuplicateSearch, StoreSearch } from "./log/duplicate-search.ts";
import { Gate } from "./log/gate.ts";
import { HeadReader } from "./log/head-finder.ts";
import type { PendingSends } from "./log/pending-sends.ts";
import { ThreadLogs } from "./log/thread-logs.ts";
import { TouchLedger } from "./log/touch-ledger.ts";
import { Views } from "./log/views.ts";
import type {
  Blocks,
  Channel,
  Groups,
  LargeGroups,
  LogDamage,
  MessageStore,
  Servers,
  Sights,
  Threads,
  Visibilities,
} from "./ports.ts";
import { Receipts } from "./receipts/receipts.ts";
import { Resolver } from "./resolve.ts";
import { Seals } from "./seals.ts";
import { Sender } from "./sender.ts";
import { ThreadOwners } from "./thread-owners.ts";
import { ThreadReader } from "./thread-reader.ts";

/** How long a send may take, in ms, where who asks is in the same process. */
const EXPIRES_MS = 10_000;

export interface MessagePorts {
  readonly store: MessageStore;
  readonly threads: Threads;
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly largeGroups: LargeGroups;
  readonly channel: Channel;
  readonly clock: Clock;
  /** Without it no other message server uses these stores. */
  readonly servers?: Servers;
  /** Without it nobody hides. */
  readonly visibilities?: Visibilities;
  /** Without it all who share a thread show to one another. */
  readonly sights?: Sights | undefined;
  /** Told of damage that reads find: for the log and the metrics. */
  readonly damage?: LogDamage;
  /** Without it sends of every log epoch are taken. */
  readonly history?: History;
  /**
   * How long a send may take, in ms; 10 s if left out. Less where push servers ask over links: so that what
   * is said when it is over arrives in their time.
   */
  readonly sendMs?: number;
  /** Entries in a row; 512 but in tests. */
  readonly bucketSize?: number;
}

/** What tests put in the place of a piece, or around it. */
export interface Replacements {
  readonly deadlines?: Deadlines;
  readonly ledger?: TouchLedger;
  readonly search?: DuplicateSearch;
  /** The store as it is read by those who compare or show heads. */
  readonly headStore?: MessageStore;
  /** Makes what holds a thread's waiting sends. */
  readonly queue?: () => PendingSends;
  readonly gate?: (inner: Gate) => Pick<Gate, "cover" | "pass">;
  readonly ownMessages?: Pick<Receipts, "ownMessage">;
  readonly expiresMs?: number;
}

export type Assembly = ReturnType<typeof assemble>;

/** Puts the message service together over its ports: the one wiring, for the program and for tests. */
export function assemble(ports: MessagePorts, replaced: Replacements = {}) {
  const { threads, groups, blocks, largeGroups, channel, clock, damage, bucketSize = BUCKET_SIZE } = ports;
  const { history = NO_HISTORY } = ports;
  const { deadlines = new Deadlines(clock), ledger = new TouchLedger(clock) } = replaced;
  const { expiresMs = ports.sendMs ?? EXPIRES_MS, headStore = ports.store } = replaced;
  const store = new LogStore(ports.store, bucketSize, deadlines, APPEND_DEADLINE_MS, damage);
  const reading = new LogStore(ports.store, bucketSize, deadlines, READ_DEADLINE_MS, damage);

  const rosters = new RosterLoader({ groups, store, deadlines });
  const judging = new Judging({ rosters, groups, blocks, largeGroups, deadlines });
  const logs = new ThreadLogs(threads, undefined, replaced.queue);
  const heads = new HeadReader(new LogStore(headStore, bucketSize, deadlines, READ_DEADLINE_MS, damage));
  const owners = new ThreadOwners(ports.servers);
  const { isAlone } = owners;
  const views = new Views({ heads, judging, clock, isAlone });
  const reader = new ThreadReader({ logs, views, judging, threads });
  const hiding = new Hiding(ports);

  const passing = new Gate({ threads, groups, channel, clock, deadlines, ledger });
  const gate = replaced.gate?.(passing) ?? passing;
  const search = replaced.search ?? new StoreSearch(store);
  const appender = new Appender({ store, search, gate, judging, clock, owners });
  const receipts = new Receipts({
    ...{ store: reading, threads, channel, clock, hiding, views, heads, reader, isAlone },
  });

  const { ownMessages = receipts } = replaced;
  const sender = new Sender(
    { logs, appender, receipts: ownMessages, hiding, views },
    clock,
    expiresMs,
    history,
  );
  const changes = new GroupChanges({ logs, appender, clock, expiresMs });
  const resolver = new Resolver({
    logs,
    reader,
    search: new StoreSearch(reading),
    appender,
    seals: new Seals(reading),
    tries: sender,
    lateTries: isAlone ? undefined : new LateTries(clock),
    clock,
    expiresMs,
  });
  const comparison = new Comparison({ logs, reader, store: reading, history });
  const listing = { store: reading, views, hiding };
  const typing = { channel, views, hiding };
  return {
    ...{ store, reading, deadlines, ledger, rosters, judging, logs, heads, views, reader },
    ...{ gate: passing, appender, receipts, sender, changes, resolver, comparison, typing, listing, owners },
  };
}
