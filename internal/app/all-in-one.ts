import type { DestinationStream } from "pino";
import { type Clock, systemClock } from "../base/clock.ts";
import { createLog, type Logger } from "../base/log.ts";
import { createMetrics, type Metrics } from "../base/metrics.ts";
import { devTokensRoute } from "../gateway/door-dev-tokens.ts";
import { jwksRoute, ticketKeysRoute } from "../gateway/door-jwks.ts";
import { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import { MemoryRegistry } from "../registry/push-servers.ts";
import type { RpcContext } from "../rpc/calls/call-runner.ts";
import { createGrpcServer, type GrpcServer } from "../rpc/grpc/grpc-server.ts";
import { addReflection } from "../rpc/grpc/reflection.ts";
import { Health } from "../rpc/health.ts";
import { localUrl } from "../rpc/listen-address.ts";
import { createRpcMetrics } from "../rpc/metrics.ts";
import { loopbackOrigins } from "../rpc/web/cors.ts";
import { createWebServer, type WebServer } from "../rpc/web/web-server.ts";
import { openAdminKey } from "./folder/admin-key.ts";
import { type Credentials, openCredentials } from "./folder/credentials.ts";
import { openDataFolder } from "./folder/data-folder.ts";
import { startAdminServer } from "./operators/admin-server.ts";
import { bound, untilIdle } from "./operators/listening.ts";
import { pageSettingsRoute } from "./page/page-settings.ts";
import { BUILT_PAGE, staticFiles } from "./page/static-files.ts";
import { openServices, PUSH_SERVER, type Services, type ServicesInit } from "./services.ts";
import type { HeddleConfig } from "./settings/config.ts";
import { PROGRAM_VERSION } from "./settings/versions.ts";
import { StopStack } from "./stop-stack.ts";

/** All of Heddle, running. */
export interface Heddle {
  /** gRPC on this machine, `http://127.0.0.1:8440`. Clients are told config.grpcUrl instead, where that is set. */
  readonly grpcUrl: string;
  /** The page, Connect and gRPC-Web on this machine. */
  readonly webUrl: string;
  /** Health, readiness, metrics and backup, for operators on this machine. */
  readonly adminUrl: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Where rows and messages are, for people; undefined for the data folder. */
  readonly engine: string | undefined;
  /** Resolves to why it has to be closed and started anew, in a sentence; never where it need not. */
  readonly over: Promise<string>;
  /** Drains (at most config.drainMs) and closes everything; the data folder is free afterwards. */
  close(): Promise<void>;
}

/**
 * Starts every service in this process, on embedded stores in `config.dataDir` or on the database that the settings name.
 * Resolves when it serves. Rejects with DataFolderError, DatabaseError or ListenError, with everything closed again.
 * `stopped` ends the wait for a database.
 */
export async function startHeddle(
  config: HeddleConfig,
  options: {
    readonly clock?: Clock;
    readonly logDestination?: DestinationStream;
    readonly stopped?: AbortSignal;
  } = {},
): Promise<Heddle> {
  const { clock = systemClock, logDestination, stopped } = options;
  const log = createLog({
    level: config.logLevel,
    ...(logDestination ? { destination: logDestination } : {}),
  });
  const stack = new StopStack(log);
  try {
    return await start(config, { clock, log, stack, stopped });
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

/** Each part is put on the stack as soon as it stands, so that a start that fails half-way closes what there is. */
async function start(
  config: HeddleConfig,
  init: Pick<ServicesInit, "clock" | "log" | "stack" | "stopped">,
): Promise<Heddle> {
  const { clock, log, stack } = init;
  const metrics = createMetrics({ process: true });
  const registry = new MemoryRegistry();
  const folder = await openDataFolder(config.dataDir);
  const credentials = await openCredentials(config, folder, PUSH_SERVER, clock);
  const key = await openAdminKey(folder.adminKey);
  const services = await openServices({ ...init, config, folder, credentials, registry, metrics });

  const { engine, over } = services;
  // What /readyz tells: this word, and once it is "ready", what the stores say.
  let state: "starting" | "ready" | "draining" = "starting";
  const notReady = () => (state === "ready" ? services.notReady() : state);
  // First of the listeners: "starting" can be asked for while the others are bound, and it is closed after them.
  const admin = await bound("HEDDLE_ADMIN_ADDR", () =>
    startAdminServer(config.adminAddress, {
      notReady,
      engine,
      metrics,
      backup: { key, backUp: services.backUp },
    }),
  );
  stack.add("admin listener", () => admin.close());

  const context: RpcContext = { clock, log, metrics: createRpcMetrics(metrics), proxies: config.proxies };
  const health = new Health(services.bindings.map(({ desc }) => desc.typeName));
  const grpc = grpcListener(config, context, services, health);
  stack.add("gRPC listener", () => grpc.close());
  const grpcPort = await bound("HEDDLE_GRPC_ADDR", () => grpc.listen(config.grpcAddress));
  const web = webListener(config, context, services, health, credentials);
  stack.add("web listener", () => web.close());
  const webPort = await bound("HEDDLE_WEB_ADDR", () => web.listen(config.webAddress));

  const grpcUrl = localUrl(config.grpcAddress, grpcPort);
  const webUrl = localUrl(config.webAddress, webPort);
  const registration = registry.register({
    name: PUSH_SERVER,
    grpcUrl: config.grpcUrl ?? grpcUrl,
    webUrl: config.webUrl ?? webUrl,
    load: () => services.push.load().sessions,
    capacity: config.pushCapacity,
  });
  // Added last, so run first. In this order no client comes to a server that leaves: not ready, not registered, then
  // streams are told to move (docs/design.md, section 12).
  stack.add("drain", async () => {
    state = "draining";
    health.set(false);
    registration.revoke();
    const streams = services.push.drain(DrainingReason.SHUTDOWN, config.drainMs);
    health.endWatches();
    await Promise.all([streams, untilIdle(clock, config.drainMs, [grpc, web])]);
  });
  state = "ready";
  health.set(true);
  const { profile } = config;
  log.info(
    { grpc: grpcUrl, web: webUrl, profile, data: config.dataDir, engine, version: PROGRAM_VERSION },
    "ready",
  );
  const adminUrl = localUrl(config.adminAddress, admin.port);
  return { grpcUrl, webUrl, adminUrl, log, metrics, engine, over, close: () => stack.unwind() };
}

/** The gRPC listener. It tells the schema by reflection in development only: production tells strangers nothing. */
function grpcListener(
  config: HeddleConfig,
  context: RpcContext,
  services: Services,
  health: Health,
): GrpcServer {
  const bindings = [...services.bindings, health.binding];
  return createGrpcServer({
    services: bindings,
    context,
    ...(config.profile === "development"
      ? {
          extend: (server) =>
            addReflection(
              server,
              bindings.map(({ desc }) => desc),
            ),
        }
      : {}),
  });
}

/** The listener for browsers. In development pages of other ports on this machine may call it too. */
function webListener(
  config: HeddleConfig,
  context: RpcContext,
  services: Services,
  health: Health,
  credentials: Credentials,
): WebServer {
  const { signDevToken, publicKeys } = credentials;
  const routes = [
    jwksRoute(publicKeys),
    ticketKeysRoute(() => publicKeys), // Where an edge stands before this program.
    pageSettingsRoute(config.auth),
    staticFiles(BUILT_PAGE, config.profiles.pictureHosts),
  ];
  if (signDevToken) routes.push(devTokensRoute(signDevToken, config.devTokenTtlS));
  return createWebServer({
    services: [...services.bindings, health.binding],
    context,
    routes,
    ...(config.profile === "development" ? { origins: loopbackOrigins } : {}),
  });
}
