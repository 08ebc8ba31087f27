import type { Clock } from "../../../base/clock.ts";
import type { HeddleError } from "../../../base/heddle-error.ts";
import type { Accepted, Send } from "../../../base/send.ts";
import { type Assembly, assemble } from "../../../message/assemble.ts";
import type { Range } from "../../../message/group/membership.ts";
import type { AskedChange, MadeChange } from "../../../message/group-changes.ts";
import { type DuplicateSearch, StoreSearch } from "../../../message/log/duplicate-search.ts";
import type { Gate } from "../../../message/log/gate.ts";
import type { HeadReader } from "../../../message/log/head-finder.ts";
import { PendingSends } from "../../../message/log/pending-sends.ts";
import { TouchLedger } from "../../../message/log/touch-ledger.ts";
import type { Blocks, Channel, Groups, LargeGroups, MessageStore, Threads } from "../../../message/ports.ts";
import type { Resolver } from "../../../message/resolve.ts";
import type { ThreadReader } from "../../../message/thread-reader.ts";
import { logStoreOf, patience } from "../../fakes/message/message-samples.ts";
import { MemoryGroups } from "../../fakes/stores/memory-groups.ts";

/** What one message service is made of: the pieces that a broken variant wraps. */
export interface ServerParts {
  readonly store: MessageStore;
  /** The store as one who compares heads reads it. */
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

/** What a world of direct threads without blocks leaves out. */
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
    search: new StoreSearch(logStoreOf(store, bucketSize)),
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
  readonly #parts: Assembly;
  readonly #admit: ServerParts["admit"];

  constructor({ admit, ...parts }: ServerParts) {
    // Deadlines never fire here: a server may also be slower than any of them.
    const endless = { deadlines: patience(), expiresMs: Number.MAX_SAFE_INTEGER };
    this.#parts = assemble(parts, { ...parts, ...endless, ownMessages: { ownMessage: () => {} } });
    this.heads = this.#parts.heads;
    this.reader = this.#parts.reader;
    this.resolver = this.#parts.resolver;
    this.#admit = admit;
  }

  /** As the message service's port of push servers. Resolves to what it settles with; never rejects. */
  async send(send: Send): Promise<Accepted | HeddleError> {
    const admitted = await this.#admit(send);
    return new Promise((resolve) => this.#parts.sender.send(admitted, resolve));
  }

  /** As its port of thread servers. Rejects with HeddleError. */
  change(asked: AskedChange): Promise<MadeChange> {
    return this.#parts.changes.change(asked);
  }

  /** What a user may see of a thread. Rejects with THREAD_NOT_FOUND. */
  async range(threadId: Uint8Array, userId: string): Promise<Range> {
    return this.reader.range(await this.#parts.logs.open(threadId, userId), userId);
  }

  /** Likewise: from its answer on no send is judged by blocks as they were before. */
  raiseEpoch(threadId: Uint8Array): Promise<void> {
    return this.#parts.appender.raiseEpoch(this.#parts.logs.bare(threadId));
  }
}
