import type { Clock } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import type { Logger } from "../../base/log.ts";
import type { Member } from "../../base/ring.ts";
import { DrainingReason } from "../../gen/heddle/push/v1/frame_pb.js";
import { pushHandlers } from "../../peers/push-server.ts";
import { RoutedMessages, type TimedMessages } from "../../peers/routed-messages.ts";
import { ThreadClient } from "../../peers/thread-client.ts";
import type { PushConfig } from "../../push/config.ts";
import type { Channel, Presence } from "../../push/ports.ts";
import { PushServer, type PushServerInit } from "../../push/service.ts";
import { type Mirror, servingRing } from "../../registry/mirror.ts";
import type { Registration } from "../../registry/registration.ts";
import type { LinkCaller } from "../../rpc/links/link-client.ts";
import { LinkServer } from "../../rpc/links/link-server.ts";
import type { Tick } from "../../stream/each-tick.ts";
import type { Held } from "./held.ts";

/** How often the load is told, in ms. */
const LOAD_EVERY_MS = 2_000;

export interface PushServerParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** The event loop; injected by tests. */
  readonly tick?: Tick;
  readonly config: PushConfig;
  readonly history: History;
  /** Of the message servers. Closed by its owner. */
  readonly messageServers: Mirror;
  /** Where one of them is asked. */
  readonly messageAt: (member: Member) => TimedMessages;
  /** Any thread server. */
  readonly threads: LinkCaller;
  readonly channel: Channel;
  readonly presence: Presence;
  /** How long streams may take to move when it leaves, in ms. */
  readonly drainMs: number;
  /** What subscribes; replaced by tests. */
  readonly topics?: PushServerInit["topics"];
  /** Takes its place in the registry. Called once. */
  readonly register: () => Registration;
}

/**
 * A push server with its place in the registry. When it leaves nothing new is allotted to it, and it stays where browsers
 * reach it until the last of its streams has moved or was ended.
 */
export function assemblePushServer(parts: PushServerParts): Held<PushServer> {
  const { clock, log, tick, config, history, channel, presence, topics, drainMs } = parts;
  const push = new PushServer({
    messages: new RoutedMessages({ clock, ring: servingRing(parts.messageServers), at: parts.messageAt }),
    threads: new ThreadClient(parts.threads),
    ...{ channel, presence, clock, log, config, history },
    ...(tick && { tick }),
    ...(topics && { topics }),
  });
  const registration = parts.register();
  let cancel = () => {};
  const tellLoad = () => {
    registration.tellLoad(push.load().sessions);
    cancel = clock.after(LOAD_EVERY_MS, tellLoad);
  };
  tellLoad();
  return {
    service: push,
    serve: (below) => void new LinkServer({ ...below, service: "push", handlers: pushHandlers(push) }),
    leave: async () => {
      await registration.leaving();
      await push.drain(DrainingReason.SHUTDOWN, drainMs);
      cancel();
      await registration.revoke();
    },
  };
}
