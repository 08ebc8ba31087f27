import { existsSync } from "node:fs";
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
import { LevelMessageStore } from "../store/level/level-message-store.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { TwoHalves } from "../store/two-halves.ts";
import { profileOf } from "../thread/display.ts";
import { ProfileCalls } from "../thread/profile-calls.ts";
import { ThreadService } from "../thread/service.ts";
import {
  assembleMessage,
  assemblePresence,
  clientBindings,
  directPresence,
  soleRowViews,
  tellPresence,
} from "./assembly/assemble.ts";
import { type Backup, backUp, clearStaging } from "./care/backup.ts";
import type { Credentials } from "./folder/credentials.ts";
import { type DataFolder, refuseHalf } from "./folder/data-folder.ts";
import { beginHistory, refuseUnnamed } from "./folder/history.ts";
import { exposeServices } from "./operators/service-metrics.ts";
import { damageWatch, storeWatches } from "./operators/store-watches.ts";
import type { HeddleConfig } from "./settings/config.ts";
import type { StopStack } from "./stop-stack.ts";

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
}

/** Every service of Heddle on embedded stores, bound to one another directly. */
export interface Services {
  readonly bindings: readonly ServiceBinding[];
  readonly push: PushServer;
  /** Undefined while all stores serve, else which does not. */
  notReady(): string | undefined;
  /** Copies the data folder as it is at one moment, while all goes on. */
  readonly backUp: (folder: string, progress: (text: string) => void) => Promise<Backup>;
}

/** Opens the stores and constructs the services over them, in order of dependency. Rejects with DataFolderError. */
export async function openServices(init: ServicesInit): Promise<Services> {
  const { config, folder, credentials, registry, clock, log, metrics, stack } = init;
  refuseHalf(folder);
  await refuseUnnamed(folder);
  const hadMessages = existsSync(folder.messages);
  const watch = storeWatches(log, metrics);
  // First, because its lock is taken before a file is looked at: another process may be writing them.
  const threadStore = new SqliteThreadStore({ path: folder.threads, clock, watch: watch("thread") });
  stack.add("thread store", () => threadStore.close());
  const messageStore = await LevelMessageStore.open({
    path: folder.messages,
    clock,
    watch: watch("message"),
    rows: () => threadStore.state,
  });
  stack.add("message store", () => messageStore.close());
  // Each store notes the other's mark: a start on halves of different times is refused, before a service reads them.
  const halves = new TwoHalves(messageStore, threadStore, clock);
  await halves.check(config.dataDir);
  await halves.start(config.dataDir);
  stack.add("notes of the stores", () => halves.stop());
  if (await clearStaging(config.dataDir))
    log.warn("a backup was ended before it was whole: what it left is removed");
  const { history, remark } = await beginHistory(folder);
  if (remark && hadMessages) log.warn(remark);

  const channel = new SoleChannel({ clock });
  const views = soleRowViews(threadStore);
  const { sightRule } = config;
  const damage = damageWatch(log, metrics);
  const message = assembleMessage({ logs: messageStore, views, channel, clock, history, damage, sightRule });
  stack.add("message service", () => message.close());
  const place = solePlace(PUSH_SERVER);
  const presence = assemblePresence({ clock, place, views, sightRule });
  stack.add("presence service", () => presence.close());
  tellPresence(views, presence);
  const thread = new ThreadService({
    store: threadStore,
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
  const profiles: Profiles = { note: (userId, said) => threadStore.noteProfile(userId, profileOf(said)) };
  const gateway = new GatewayService({
    devices: threadStore,
    streams: push,
    registry,
    tickets: ticketSigner,
    profiles,
    addresses: new AddressLimit(clock, config.opensPerAddress),
  });
  const calls = new ProfileCalls(threadStore, config.profiles);

  return {
    bindings: clientBindings(
      { gateway, push, message, thread, profiles: calls, presence },
      { users, tickets },
    ),
    push,
    backUp: (target, progress) =>
      backUp({ dataDir: config.dataDir, log: messageStore, rows: threadStore }, target, progress),
    notReady: () => {
      if (!messageStore.ready()) return "the message store cannot write";
      return threadStore.ready() ? undefined : "the thread store cannot write";
    },
  };
}
