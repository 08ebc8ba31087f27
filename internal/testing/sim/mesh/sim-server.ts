import {
  assembleMessage,
  assemblePresence,
  clientBindings,
  rowViews,
  tellPresence,
} from "../../../app/assemble.ts";
import type { History } from "../../../base/history.ts";
import { createLog } from "../../../base/log.ts";
import { createMetrics } from "../../../base/metrics.ts";
import { SoleChannel } from "../../../channel/sole-channel.ts";
import { GatewayService } from "../../../gateway/service.ts";
import type { PresenceService } from "../../../presence/service.ts";
import { PushServer } from "../../../push/service.ts";
import { MemoryRing } from "../../../registry/memory-ring.ts";
import { MemoryRegistry } from "../../../registry/push-servers.ts";
import { type BoundMethod, methodsOf, type RpcContext } from "../../../rpc/calls/call-runner.ts";
import { createRpcMetrics } from "../../../rpc/metrics.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import type { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import { ProfileCalls } from "../../../thread/profile-calls.ts";
import { ThreadService } from "../../../thread/service.ts";
import type { Life } from "../time/engine.ts";
import type { LifeClock } from "../time/life-clock.ts";
import { callerOf, ticketOf } from "../users/sim-credentials.ts";

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
    const views = rowViews(rows);
    const shared = { channel, clock, history };
    const damage = () => {
      throw new Error("a log is damaged");
    };
    const message = assembleMessage({ ...shared, logs, views, damage, sightRule: "shared-thread" });
    const presence = assemblePresence({ clock, registry, views, sightRule: "shared-thread" });
    tellPresence(views, presence);
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
    const profiles = new ProfileCalls(rows, { canBeSet: false, pictureHosts: [] });
    const held = { gateway, message, thread, profiles, presence };
    for (const binding of clientBindings(held, { users, tickets: users })) {
      for (const method of methodsOf(binding)) this.methods.set(method.name, method);
    }
    this.life = life;
    this.clock = clock;
    this.context = { clock, log, metrics: createRpcMetrics(createMetrics({ process: false })) };
  }
}
