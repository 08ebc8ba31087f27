import type { History } from "../../base/history.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { SoleChannel } from "../../channel/sole-channel.ts";
import { GatewayService } from "../../gateway/service.ts";
import { GatewayService as GatewayDesc } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService as MessageDesc } from "../../gen/heddle/message/v1/message_service_pb.js";
import { PresenceService as PresenceDesc } from "../../gen/heddle/presence/v1/presence_service_pb.js";
import { ProfileService as ProfileDesc } from "../../gen/heddle/profile/v1/profile_service_pb.js";
import { ThreadService as ThreadDesc } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { MessageService } from "../../message/service.ts";
import { PresenceService } from "../../presence/service.ts";
import { Sight } from "../../presence/sight.ts";
import { Visibilities } from "../../presence/visibilities.ts";
import { PushServer } from "../../push/service.ts";
import { MemoryRing } from "../../registry/memory-ring.ts";
import { MemoryRegistry } from "../../registry/push-servers.ts";
import { type BoundMethod, methodsOf, type RpcContext } from "../../rpc/calls/call-runner.ts";
import { bind } from "../../rpc/calls/handlers.ts";
import { createRpcMetrics } from "../../rpc/metrics.ts";
import type { MessageStore } from "../../store/message-store.ts";
import type { SqliteThreadStore } from "../../store/sqlite/sqlite-thread-store.ts";
import { Directory } from "../../thread/directory.ts";
import { ProfileCalls } from "../../thread/profile-calls.ts";
import { ThreadService } from "../../thread/service.ts";
import type { Life } from "./engine.ts";
import type { LifeClock } from "./life-clock.ts";
import { callerOf, ticketOf } from "./sim-credentials.ts";

export interface SimServerInit {
  readonly life: Life;
  readonly clock: LifeClock;
  readonly rows: SqliteThreadStore;
  readonly logs: MessageStore;
  readonly history: History;
  /** Puts something broken in the place of the channel service; for mutants. */
  readonly breakChannel: ((channel: SoleChannel) => SoleChannel) | undefined;
}

/** One process with every service, wired as internal/app/services.ts does, on stores of other machines. */
export class SimServer {
  readonly life: Life;
  readonly clock: LifeClock;
  readonly push: PushServer;
  readonly context: RpcContext;
  readonly methods = new Map<string, BoundMethod>();

  constructor({ life, clock, rows, logs, history, breakChannel }: SimServerInit) {
    const log = createLog({ level: "silent" });
    const registry = new MemoryRegistry();
    const whole = new SoleChannel({ clock });
    const channel = breakChannel?.(whole) ?? whole;
    const directory = new Directory(rows);
    const visibilities = new Visibilities(rows);
    const shared = { blocks: directory, channel, clock, history };
    const message = new MessageService({
      ...shared,
      store: logs,
      threads: directory,
      groups: directory,
      largeGroups: directory,
      visibilities,
      sights: undefined,
      damage: () => {
        throw new Error("a log is damaged");
      },
    });
    directory.findWritersBy((threadId) => message.writers(threadId));
    const privacy = new Sight(directory, visibilities, "shared-thread");
    const presence = new PresenceService({ clock, registry, visibilities, privacy });
    directory.onLeft((userIds) => void presence.membersChanged(userIds).catch(() => {}));
    directory.onShown((userId) => void presence.membersChanged([userId]).catch(() => {}));
    const thread = new ThreadService({ ...shared, store: rows, heads: message, log: message, presence });
    const ring = new MemoryRing<PresenceService>();
    ring.replace(presence);
    const config = { name: "push", capacity: 1_000 };
    this.push = new PushServer({
      messages: message,
      threads: thread,
      channel,
      presence: ring,
      clock,
      log,
      config,
      history,
    });
    registry.register({
      name: "push",
      grpcUrl: "sim",
      webUrl: "sim",
      capacity: 1_000,
      load: () => this.push.load().sessions,
    });
    const tickets = { sign: async (grant: Parameters<typeof ticketOf>[0]) => ticketOf(grant, clock.nowMs()) };
    const gateway = new GatewayService({ devices: rows, streams: this.push, registry, tickets });
    const users = async (authorization: string | undefined) => callerOf(authorization, clock.nowMs());
    for (const binding of [
      bind(GatewayDesc, users, gateway.handlers),
      bind(MessageDesc, users, message.handlers),
      bind(ThreadDesc, users, thread.handlers),
      bind(
        ProfileDesc,
        users,
        new ProfileCalls(rows, { setBy: "nobody", pictureHosts: [] } as never).handlers,
      ),
      bind(PresenceDesc, users, presence.handlers),
    ]) {
      for (const method of methodsOf(binding)) this.methods.set(method.name, method);
    }
    this.life = life;
    this.clock = clock;
    this.context = { clock, log, metrics: createRpcMetrics(createMetrics({ process: false })) };
  }
}
