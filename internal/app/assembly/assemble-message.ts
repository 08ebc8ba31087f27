import type { Clock } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import type { Logger } from "../../base/log.ts";
import type { Publisher } from "../../channel/publisher/publisher.ts";
import type { Channel, LogDamage, MessageStore } from "../../message/ports.ts";
import type { MessageService } from "../../message/service.ts";
import { logHandlers } from "../../peers/log-server.ts";
import { messageHandlers } from "../../peers/message-server.ts";
import type { SightRule } from "../../presence/sight.ts";
import { type Mirror, servingRing } from "../../registry/mirror.ts";
import type { Registration } from "../../registry/registration.ts";
import { LinkServer } from "../../rpc/links/link-server.ts";
import type { Presence } from "../../thread/ports.ts";
import { assembleMessage, type RowViews, tellPresence } from "./assemble.ts";
import type { Held } from "./held.ts";
import { leaveWriter } from "./leave-writer.ts";

export interface MessageServerInit {
  /** Its name in the registry. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The log that all message servers share. */
  readonly logs: MessageStore;
  /** Of the rows that several programs share: `rowViews`. */
  readonly views: RowViews;
  /** Of the message servers. Closed by its owner. */
  readonly servers: Mirror;
  readonly publisher: Publisher;
  /** What events are handed to, where a test stands before the publisher. */
  readonly channel?: Channel;
  /** Told which users the writes here take out of whose sight. */
  readonly presence: Pick<Presence, "membersChanged">;
  readonly history: History;
  readonly damage: LogDamage;
  readonly sightRule: SightRule;
  /** Takes its place in the registry. Called once. */
  readonly register: () => Registration;
}

/**
 * A message server with its place in the registry (docs/design.md, section 5, Several message servers): push and thread
 * servers ask it over links, and it settles each send within their time.
 */
export function assembleMessageServer(init: MessageServerInit): Held<MessageService> {
  const { name, clock, log, logs, views, servers, publisher, channel = publisher, presence } = init;
  const { history, damage, sightRule } = init;
  const place = { name, ring: servingRing(servers) };
  const made = { logs, views, channel, servers: place, clock, history, damage, sightRule };
  const service = assembleMessage(made);
  tellPresence(views, presence);
  const handlers = [...messageHandlers(service, clock), ...logHandlers(service, clock)];
  const registration = init.register();
  return {
    service,
    serve: (below) => void new LinkServer({ ...below, service: "message", handlers }),
    leave: () => leaveWriter({ clock, log, registration, publisher, close: () => service.close() }),
  };
}
