import type { Clock } from "../../base/clock.ts";
import type { HeddleError } from "../../base/heddle-error.ts";
import type { Accepted, Send } from "../../base/send.ts";
import { type AskedChange, GroupChanges, type MadeChange } from "../../message/group/group-changes.ts";
import { RosterLoader } from "../../message/group/roster-loader.ts";
import { Hiding } from "../../message/hiding.ts";
import { Appender } from "../../message/log/appender.ts";
import { type DuplicateSearch, StoreSearch } from "../../message/log/duplicate-search.ts";
import { Gate } from "../../message/log/gate.ts";
import { HeadReader } from "../../message/log/head-finder.ts";
import { Judging } from "../../message/log/judging.ts";
import { PendingSends } from "../../message/log/pending-sends.ts";
import { Sender } from "../../message/log/sender.ts";
import { ThreadLogs } from "../../message/log/thread-logs.ts";
import { TouchLedger } from "../../message/log/touch-ledger.ts";
import type { Blocks, Channel, Groups, LargeGroups, MessageStore, Threads } from "../../message/ports.ts";
import { Resolver } from "../../message/resolve.ts";
import { type Range, ThreadReader } from "../../message/thread-reader.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { MemoryGroups } from "../fakes/memory-groups.ts";

/** What one message service is made of: the pieces that a broken variant wraps. */
export interface ServerParts {
  readonly store: MessageStore;
  /** The store as whoever compares heads reads it. */
  readonly headStore: MessageStore;
  readonly threads: Threads;
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly largeGroups: LargeGroups;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly bucketSize: number;
  readonly ledger: TouchLedger;
  readonly search: DuplicateSearch;
  /** Makes what holds a thread's waiting sends. */
  readonly queue: () => PendingSends;
  /** Wraps the gate. */
  readonly gate: (inner: Gate) => Pick<Gate, "cover" | "pass">;
  /** Sees each send before it is queued, and may hold it up or change it. */
  readonly admit: (send: Send) => Send | Promise<Send>;
}

type GroupParts = Pick<ServerParts, "groups" | "blocks" | "largeGroups">;

/** The parts as the product has them; without groups and blocks if there are no ports of theirs. */
export function serverParts(
  ports: Pick<ServerParts, "store" | "threads" | "channel" | "clock" | "bucketSize"> & Partial<GroupParts>,
): ServerParts {
  const { store, clock, bucketSize } = ports;
  const none = new MemoryGroups();
  return {
    groups: none,
    blocks: none,
    largeGroups: none,
    ...ports,
    headStore: store,
    ledger: new TouchLedger(clock),
    search: new StoreSearch(store, bucketSize),
    queue: () => new PendingSends(),
    gate: (inner) => inner,
    admit: (send) => send,
  };
}

/** A message service put together from parts, without RPCs and receipts. */
export class AppendServer {
  readonly heads: HeadReader;
  readonly reader: ThreadReader;
  readonly resolver: Resolver;
  readonly #sender: Sender;
  readonly #changes: GroupChanges;
  readonly #appender: Appender;
  readonly #logs: ThreadLogs;
  readonly #admit: ServerParts["admit"];

  constructor(parts: ServerParts) {
    const { store, headStore, threads, groups, blocks, largeGroups, channel } = parts;
    const { clock, bucketSize, ledger, search } = parts;
    // Deadlines never fire here: a server may also be slower than any of them.
    const deadlines = new Deadlines({ ...clock, after: () => () => {} });
    const gate = parts.gate(new Gate({ threads, groups, channel, clock, ledger, deadlines }));
    const rosters = new RosterLoader({ groups, store, deadlines, bucketSize });
    const judging = new Judging({ rosters, groups, blocks, largeGroups, deadlines });
    const appender = new Appender({ store, search, gate, judging, clock, deadlines, bucketSize });
    const logs = new ThreadLogs(threads, undefined, parts.queue);
    const heads = new HeadReader(headStore, bucketSize);
    const reader = new ThreadReader({ logs, heads, judging, threads });
    this.heads = heads;
    this.reader = reader;
    this.#logs = logs;
    this.#appender = appender;
    const expiresMs = Number.MAX_SAFE_INTEGER;
    const receipts = { ownMessage: () => {} };
    this.#sender = new Sender({ logs, appender, receipts, hiding: new Hiding(undefined) }, clock, expiresMs);
    this.#changes = new GroupChanges({ logs, appender, clock, expiresMs });
    const pages = new StoreSearch(store, bucketSize);
    this.resolver = new Resolver({ logs, reader, search: pages, appender, clock, expiresMs });
    this.#admit = parts.admit;
  }

  async send(send: Send): Promise<Accepted | HeddleError> {
    const admitted = await this.#admit(send);
    return new Promise((resolve) => this.#sender.send(admitted, resolve));
  }

  change(asked: AskedChange): Promise<MadeChange> {
    return this.#changes.change(asked);
  }

  /** What a user may see of a thread. Rejects with THREAD_NOT_FOUND. */
  async range(threadId: Uint8Array, userId: string): Promise<Range> {
    return this.reader.range(await this.#logs.open(threadId, userId), userId);
  }

  raiseEpoch(threadId: Uint8Array): Promise<void> {
    return this.#appender.raiseEpoch(this.#logs.bare(threadId));
  }
}
