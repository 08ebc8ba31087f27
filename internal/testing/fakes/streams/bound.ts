import type { DescService } from "@bufbuild/protobuf";
import { systemClock } from "../../../base/clock.ts";
import { MessageInternalService } from "../../../gen/heddle/message/v1/message_internal_service_pb.js";
import { PresenceInternalService } from "../../../gen/heddle/presence/v1/presence_internal_service_pb.js";
import { ThreadInternalService } from "../../../gen/heddle/thread/v1/thread_internal_service_pb.js";
import type { ServeLink } from "../../../peers/link-listener.ts";
import { LogClient } from "../../../peers/log-client.ts";
import { type Logs, logHandlers } from "../../../peers/log-server.ts";
import { MessageClient } from "../../../peers/message-client.ts";
import { messageHandlers } from "../../../peers/message-server.ts";
import { PresenceClient } from "../../../peers/presence-client.ts";
import { servePresence } from "../../../peers/presence-server.ts";
import { ThreadClient } from "../../../peers/thread-client.ts";
import { threadHandlers } from "../../../peers/thread-server.ts";
import type { Messages, Threads } from "../../../push/ports.ts";
import { DEFAULT_LIMITS } from "../../../rpc/links/limits.ts";
import { LinkClient } from "../../../rpc/links/link-client.ts";
import { LinkServer } from "../../../rpc/links/link-server.ts";
import { eventLoopTick } from "../../../stream/each-tick.ts";
import type { Presence } from "../../../thread/ports.ts";
import { type Linked, WAYS } from "./linked.ts";

/**
 * A suite that is run for each way in which what it asks of a service may come to it: directly, as in one process, or
 * over links. It holds all of them to the same words. Links have the machine's clock: time in a test's hand is the
 * service's. `bound` is a new one in each test.
 */
export function describeBound(title: string, suite: (bound: () => Bound) => void): void {
  for (const [way, serve] of [["directly", undefined], ...WAYS] as const) {
    describe(`${title}, ${serve ? "over" : "bound"} ${way}`, () => {
      let bound: Bound;
      beforeEach(() => {
        bound = new Bound(serve);
      });
      afterEach(() => bound.close());
      suite(() => bound);
    });
  }
}

/** Ports bound one way, and what closes them. */
export class Bound {
  readonly #serve: (typeof WAYS)[number][1] | undefined;
  /** Called last first. */
  readonly #closes: (() => unknown)[] = [];

  /** `serve`: over which kind of link; left out, ports are bound directly. */
  constructor(serve?: (typeof WAYS)[number][1]) {
    this.#serve = serve;
  }

  /** The message service, as push and thread servers have it. */
  async message(service: Messages & Logs): Promise<Messages & Logs> {
    const handlers = [...messageHandlers(service, systemClock), ...logHandlers(service, systemClock)];
    const link = await this.#link(MessageInternalService, (below) => {
      new LinkServer({ ...below, service: "message", handlers });
    });
    return link ? joined(new MessageClient(link), new LogClient(link)) : service;
  }

  /** The thread service, as push servers have it. */
  async thread(service: Threads): Promise<Threads> {
    const link = await this.#link(ThreadInternalService, (below) => {
      new LinkServer({ ...below, service: "thread", ...threadHandlers(service) });
    });
    return link ? new ThreadClient(link) : service;
  }

  /** A presence instance, as thread servers have it. */
  async presence(instance: Presence): Promise<Presence> {
    const none = () => {
      throw new Error("neither push servers nor other instances here");
    };
    const link = await this.#link(PresenceInternalService, (below) =>
      servePresence(
        {
          attach: none,
          visibilityChanged: none,
          presencesOf: none,
          blockChanged: (a, b) => instance.blockChanged(a, b),
          membersChanged: (userIds) => instance.membersChanged(userIds),
        },
        below,
      ),
    );
    return link ? new PresenceClient(link) : instance;
  }

  /** Closes links and what serves them; the services stay. */
  async close(): Promise<void> {
    for (const close of this.#closes.splice(0).reverse()) await close();
  }

  /** A link to what serves it; undefined where ports are bound directly. */
  async #link(desc: DescService, serve: ServeLink): Promise<LinkClient | undefined> {
    if (!this.#serve) return undefined;
    const served: Linked = await this.#serve(desc, serve, systemClock);
    const context = { clock: systemClock, tick: eventLoopTick, limits: DEFAULT_LIMITS };
    const link = new LinkClient({ ...context, stream: served.dial(), service: desc.name });
    this.#closes.push(
      () => served.close(),
      () => link.close(),
    );
    return link;
  }
}

/** The two clients of one link as the service that they are halves of. */
function joined(messages: MessageClient, logs: LogClient): Messages & Logs {
  return {
    send: (send, settle) => messages.send(send, settle),
    raiseReceipt: (receipt) => messages.raiseReceipt(receipt),
    flushReceipts: (userId) => messages.flushReceipts(userId),
    typing: (typing) => messages.typing(typing),
    membership: (threadId, userIds) => messages.membership(threadId, userIds),
    heads: (threads) => logs.heads(threads),
    unread: (ownerId, threads) => logs.unread(ownerId, threads),
    entryTimes: (entries) => logs.entryTimes(entries),
    change: (asked) => logs.change(asked),
    raiseEpoch: (threadId) => logs.raiseEpoch(threadId),
    writers: (threadId) => logs.writers(threadId),
  };
}
