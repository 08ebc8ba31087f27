import type { Clock } from "../base/clock.ts";
import type { HeddleError } from "../base/heddle-error.ts";
import type { Accepted, Send } from "../base/send.ts";
import { Appender } from "../message/appender.ts";
import { type DuplicateSearch, StoreSearch } from "../message/duplicate-search.ts";
import { Gate } from "../message/gate.ts";
import { HeadReader } from "../message/head-finder.ts";
import { Hiding } from "../message/hiding.ts";
import type { Channel, MessageStore, Threads } from "../message/ports.ts";
import { Resolver } from "../message/resolve.ts";
import { Sender } from "../message/sender.ts";
import { ThreadLogs } from "../message/thread-logs.ts";
import { TouchLedger } from "../message/touch-ledger.ts";
import { Deadlines } from "../stream/deadlines.ts";

/** What one message service is made of: the pieces that a broken variant wraps. */
export interface ServerParts {
  readonly store: MessageStore;
  /** The store as whoever compares heads reads it. */
  readonly headStore: MessageStore;
  readonly threads: Threads;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly bucketSize: number;
  readonly ledger: TouchLedger;
  readonly search: DuplicateSearch;
  /** Wraps the gate. */
  readonly gate: (inner: Gate) => Pick<Gate, "cover" | "pass">;
  /** Sees each send before it is queued, and may hold it up or change it. */
  readonly admit: (send: Send) => Send | Promise<Send>;
}

/** The parts as the product has them. */
export function serverParts(
  ports: Pick<ServerParts, "store" | "threads" | "channel" | "clock" | "bucketSize">,
): ServerParts {
  const { store, clock, bucketSize } = ports;
  return {
    ...ports,
    headStore: store,
    ledger: new TouchLedger(clock),
    search: new StoreSearch(store, bucketSize),
    gate: (inner) => inner,
    admit: (send) => send,
  };
}

/** A message service put together from parts, without RPCs and receipts. */
export class AppendServer {
  readonly heads: HeadReader;
  readonly resolver: Resolver;
  readonly #sender: Sender;
  readonly #admit: ServerParts["admit"];

  constructor(parts: ServerParts) {
    const { store, headStore, threads, channel, clock, bucketSize, ledger, search } = parts;
    // Deadlines never fire here: a server may also be slower than any of them.
    const deadlines = new Deadlines({ ...clock, after: () => () => {} });
    const gate = parts.gate(new Gate({ threads, channel, clock, ledger, deadlines }));
    const appender = new Appender({ store, search, gate, clock, deadlines, bucketSize });
    const logs = new ThreadLogs(threads);
    this.heads = new HeadReader(headStore, bucketSize);
    this.#sender = new Sender(
      { logs, appender, receipts: { ownMessage: () => {} }, hiding: new Hiding(undefined) },
      clock,
      Number.MAX_SAFE_INTEGER,
    );
    const pages = new StoreSearch(store, bucketSize);
    this.resolver = new Resolver({
      logs,
      heads: this.heads,
      search: pages,
      appender,
      clock,
      expiresMs: Number.MAX_SAFE_INTEGER,
    });
    this.#admit = parts.admit;
  }

  async send(send: Send): Promise<Accepted | HeddleError> {
    const admitted = await this.#admit(send);
    return new Promise((resolve) => this.#sender.send(admitted, resolve));
  }
}
