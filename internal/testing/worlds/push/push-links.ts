import type { Clock } from "../../../base/clock.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import type { SoleChannel } from "../../../channel/sole-channel.ts";
import { attachChannel } from "../../../peers/channel-client.ts";
import { serveChannel } from "../../../peers/channel-server.ts";
import type { ServeLink } from "../../../peers/link-listener.ts";
import { MessageClient } from "../../../peers/message-client.ts";
import { messageHandlers } from "../../../peers/message-server.ts";
import { ThreadClient } from "../../../peers/thread-client.ts";
import { threadHandlers } from "../../../peers/thread-server.ts";
import type { Channel, Messages, Threads } from "../../../push/ports.ts";
import type { LinkContext } from "../../../rpc/links/item-stream.ts";
import { DEFAULT_LIMITS } from "../../../rpc/links/limits.ts";
import { LinkClient } from "../../../rpc/links/link-client.ts";
import { LinkServer } from "../../../rpc/links/link-server.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { memoryPair } from "../../../rpc/links/memory-pair.ts";
import type { Tick } from "../../../stream/each-tick.ts";

/** For links that no silence ends: the time in a test's hand passes in leaps, without what would be said in between. */
const STILL: Clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };

/** What a push server stands on, but for presence. */
export interface PushPorts {
  readonly messages: Messages;
  readonly threads: Threads;
  readonly channel: Channel;
}

/** How a link to what `serve` serves is dialled. */
export type DialLink = (context: LinkContext, serve: ServeLink) => LinkStream;

/** In memory, where the loop moves it on. */
export const dialInMemory: DialLink = (context, serve) => {
  const { near, far } = memoryPair(context.tick);
  serve({ ...context, stream: far, fault: (error) => HeddleError.from(error, "linked") });
  return near;
};

/** The same ports, each over a link of its own. */
export function overLinks(
  { messages, threads, channel }: PushPorts & { readonly channel: SoleChannel },
  tick: Tick,
  dialLink: DialLink,
): PushPorts {
  const context = { clock: STILL, tick, limits: DEFAULT_LIMITS };
  const dial = (serve: ServeLink) => dialLink(context, serve);
  const link = (service: string, serve: ServeLink) =>
    new LinkClient({ ...context, stream: dial(serve), service });
  // The other half of a channel instance: this world has publishers elsewhere.
  const instance = {
    publish: () => Promise.reject(new Error("no publisher here")),
    broadcast: () => Promise.reject(new Error("no publisher here")),
    hint: () => Promise.reject(new Error("no publisher here")),
    broke: channel.broke.bind(channel),
  };
  return {
    messages: new MessageClient(
      link(
        "message",
        (below) =>
          void new LinkServer({ ...below, service: "message", handlers: messageHandlers(messages, STILL) }),
      ),
    ),
    threads: new ThreadClient(
      link(
        "thread",
        (below) => void new LinkServer({ ...below, service: "thread", ...threadHandlers(threads) }),
      ),
    ),
    channel: {
      ring: channel.ring,
      attach: (member, attached) => {
        const attach = channel.attach.bind(channel, member);
        return attachChannel(
          context,
          dial((below) => serveChannel({ ...instance, attach }, below)),
          attached,
        );
      },
    },
  };
}
