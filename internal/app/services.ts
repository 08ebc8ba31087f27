import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { GatewayService } from "../gateway/service.ts";
import { GatewayService as GatewayDesc } from "../gen/heddle/gateway/v1/gateway_service_pb.js";
import type { MemoryRegistry } from "../registry/push-servers.ts";
import { bind, type ServiceBinding } from "../rpc/handlers.ts";
import { LevelMessageStore } from "../store/level/level-message-store.ts";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import type { HeddleConfig } from "./config.ts";
import type { Credentials } from "./credentials.ts";
import type { DataFolder } from "./data-folder.ts";
import type { StopStack } from "./stop-stack.ts";
import { storeWatches } from "./store-watches.ts";

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
  /** Undefined while all stores serve, else which does not. */
  notReady(): string | undefined;
}

/** Opens the stores and constructs the services over them. Rejects with DataFolderError. */
export async function openServices(init: ServicesInit): Promise<Services> {
  const { folder, credentials, registry, clock, log, metrics, stack } = init;
  const watch = storeWatches(log, metrics);

  const messageStore = await LevelMessageStore.open({
    path: folder.messages,
    clock,
    watch: watch("message"),
  });
  stack.add("message store", () => messageStore.close());
  const threadStore = new SqliteThreadStore({ path: folder.threads, clock, watch: watch("thread") });
  stack.add("thread store", () => threadStore.close());

  const gateway = new GatewayService({ devices: threadStore, registry, tickets: credentials.ticketSigner });

  return {
    bindings: [bind(GatewayDesc, credentials.users, gateway.handlers)],
    notReady: () => {
      if (!messageStore.ready()) return "the message store cannot write";
      return threadStore.ready() ? undefined : "the thread store cannot write";
    },
  };
}
