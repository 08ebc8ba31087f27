import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { SoleChannel } from "../channel/sole-channel.ts";
import { AddressLimit } from "../gateway/address-limit.ts";
import type { Profiles } from "../gateway/ports.ts";
import { GatewayService } from "../gateway/service.ts";
import { solePlace } from "../presence/sole-place.ts";
import { PushServer } from "../push/service.ts";
import type { MemoryRegistry } from "../registry/push-servers.ts";
import type { ServiceBinding } from "../rpc/calls/handlers.ts";
import { profileOf } from "../thread/display.ts";
import { ProfileCalls } from "../thread/profile-calls.ts";
import { ThreadService } from "../thread/service.ts";
import {
  assembleMessage,
  assemblePresence,
  directPresence,
  soleRowViews,
  streamBindings,
  tellPresence,
  userBindings,
} from "./assembly/assemble.ts";
import type { Credentials } from "./folder/credentials.ts";
import type { DataFolder } from "./folder/data-folder.ts";
import { exposeServices } from "./operators/service-metrics.ts";
import { damageWatch, storeWatches } from "./operators/store-watches.ts";
import type { HeddleConfig } from "./settings/config.ts";
import type { StopStack } from "./stop-stack.ts";
import { openEmbeddedStores } from "./stores/embedded-stores.ts";
import { openPostgresStores } from "./stores/postgres-stores.ts";
import type { Stores } from "./stores/stores.ts";

/**
 * The one push server of this program, in tickets and sessions: the same after a restart, so that a ticket that was
 * signed before still opens a stream.
 */
export const PUSH_SERVER = "push";

/** What the services are built from. The caller owns all of it, and unwinds `stack` in the end. */
export interface ServicesInit {
  readonly config: HeddleConfig;
  readonly folder: DataFolder;
  readonly credentials: Credentials;
  readonly registry: MemoryRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Gets a stop for each part that needs one. */
  readonly stack: StopStack;
  /** Ends the wait for a database that is away. */
  readonly stopped?: AbortSignal | undefined;
}

/** Every service of Heddle, bound to one another directly, and the stores below them. */
export interface Services extends Pick<Stores, "engine" | "notReady" | "backUp" | "over"> {
  readonly bindings: readonly ServiceBinding[];
  readonly push: PushServer;
}

/**
 * Opens the stores and constructs the services over them, in order of dependency. Rejects with DataFolderError or
 * DatabaseError.
 */
export async function openServices(init: ServicesInit): Promise<Services> {
  const { config, credentials, registry, clock, log, metrics, stack } = init;
  const watch = storeWatches(log, metrics);
  const open = config.databaseUrl === undefined ? openEmbeddedStores : openPostgresStores;
  const stores = await open({ ...init, watch });
  const { logs, rows, history } = stores;

  const channel = new SoleChannel({ clock });
  const views = soleRowViews(rows);
  const { sightRule } = config;
  const damage = damageWatch(log, metrics);
  const message = assembleMessage({ logs, views, channel, clock, history, damage, sightRule });
  stack.add("message service", () => message.close());
  const place = solePlace(PUSH_SERVER);
  const presence = assemblePresence({ clock, place, views, sightRule });
  stack.add("presence service", () => presence.close());
  tellPresence(views, presence);
  const thread = new ThreadService({
    store: rows,
    heads: message,
    log: message,
    channel,
    presence,
    history,
    clock,
  });
  const { pushCapacity: capacity, streamsPerUser } = config;
  const pushConfig = { name: PUSH_SERVER, capacity, streamsPerUser };
  const push = new PushServer({
    messages: message,
    threads: thread,
    channel,
    presence: directPresence(place, presence),
    clock,
    log,
    config: pushConfig,
    history,
  });
  // After all that count: it reads them when somebody asks.
  exposeServices(metrics, { push, channel, repairs: channel.repairs, message, presence });
  const { users, tickets, ticketSigner } = credentials;
  const profiles: Profiles = { note: (userId, said) => rows.noteProfile(userId, profileOf(said)) };
  const gateway = new GatewayService({
    devices: rows,
    streams: push,
    registry,
    tickets: ticketSigner,
    profiles,
    addresses: new AddressLimit(clock, config.opensPerAddress),
  });
  const calls = new ProfileCalls(rows, config.profiles);

  return {
    bindings: [
      ...userBindings({ gateway, message, thread, profiles: calls, presence }, users),
      ...streamBindings(push, tickets),
    ],
    push,
    engine: stores.engine,
    notReady: stores.notReady,
    backUp: stores.backUp,
    over: stores.over,
  };
}
