import type { Clock } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import type { Logger } from "../../base/log.ts";
import type { Member } from "../../base/ring.ts";
import type { Publisher } from "../../channel/publisher/publisher.ts";
import { LogClient } from "../../peers/log-client.ts";
import { RoutedLog } from "../../peers/routed-log.ts";
import { threadHandlers } from "../../peers/thread-server.ts";
import { type Mirror, servingRing } from "../../registry/mirror.ts";
import type { Registration } from "../../registry/registration.ts";
import type { LinkCaller } from "../../rpc/links/link-client.ts";
import { LinkServer } from "../../rpc/links/link-server.ts";
import type { Channel, Presence } from "../../thread/ports.ts";
import { type ThreadPorts, ThreadService } from "../../thread/service.ts";
import type { Held } from "./held.ts";
import { leaveWriter } from "./leave-writer.ts";

export interface ThreadServerInit {
  readonly clock: Clock;
  readonly log: Logger;
  readonly rows: ThreadPorts["store"];
  /** Of the message servers. Closed by its owner. */
  readonly messageServers: Mirror;
  /** A link to one of them: of `KeptLinks`, over all that are registered. */
  readonly link: (member: Member) => LinkCaller;
  readonly publisher: Publisher;
  /** What events are handed to, where a test stands before the publisher. */
  readonly channel?: Channel;
  /** Every instance is told: `everyPresence`. */
  readonly presence: Presence;
  readonly history: History;
  /** Takes its place in the registry. Called once. */
  readonly register: () => Registration;
}

/** A thread server with its place in the registry: it asks message servers over links, and push servers ask it. */
export function assembleThreadServer(init: ThreadServerInit): Held<ThreadService> {
  const { clock, log, rows, messageServers, link, publisher, channel = publisher, presence, history } = init;
  const logs = new RoutedLog({
    clock,
    ring: servingRing(messageServers),
    at: (member) => new LogClient(link(member)),
  });
  const service = new ThreadService({
    store: rows,
    heads: logs,
    log: logs,
    presence,
    channel,
    history,
    clock,
  });
  const registration = init.register();
  return {
    service,
    serve: (below) => void new LinkServer({ ...below, service: "thread", ...threadHandlers(service) }),
    leave: () => leaveWriter({ clock, log, registration, publisher }),
  };
}
