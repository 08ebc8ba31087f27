import { type Clock, systemClock } from "../../../base/clock.ts";
import { createLog, type LogLevel } from "../../../base/log.ts";
import { createMetrics, type Metrics } from "../../../base/metrics.ts";
import type { RpcContext } from "../../../rpc/calls/call-runner.ts";
import type { Caller, ServiceBinding } from "../../../rpc/calls/handlers.ts";
import { createGrpcServer } from "../../../rpc/grpc/grpc-server.ts";
import { addReflection } from "../../../rpc/grpc/reflection.ts";
import { parseListenAddress } from "../../../rpc/listen-address.ts";
import { createRpcMetrics } from "../../../rpc/metrics.ts";
import type { HttpRoute } from "../../../rpc/web/http-route.ts";
import { createWebServer, type WebServerOptions } from "../../../rpc/web/web-server.ts";

/** A caller with a token that lasts. */
export function callerNamed(userId: string): Caller {
  const never = Number.MAX_SAFE_INTEGER;
  return { userId, expiresAtMs: never, userTokenExpiresAtMs: never };
}

/** Both listeners with the same services, on free ports. */
export interface RpcListeners {
  /** `127.0.0.1:40001` */
  readonly grpc: string;
  /** `http://127.0.0.1:40002` */
  readonly web: string;
  /** What was logged, a line each. */
  readonly logged: string[];
  /** Of the listeners, and of nothing else. */
  readonly metrics: Metrics;
  /** Resolves when calls under way have ended. */
  close(): Promise<void>;
}

/** Starts both listeners, with reflection. Left out: the machine's clock, everything logged, no routes, no other origins. */
export async function startRpcListeners(
  services: readonly ServiceBinding[],
  options: {
    readonly clock?: Clock;
    readonly logLevel?: LogLevel;
    readonly routes?: readonly HttpRoute[];
    readonly origins?: WebServerOptions["origins"];
  } = {},
): Promise<RpcListeners> {
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push(line) };
  const metrics = createMetrics({ process: false });
  const context: RpcContext = {
    clock: options.clock ?? systemClock,
    log: createLog({ level: options.logLevel ?? "trace", destination }),
    metrics: createRpcMetrics(metrics),
  };
  const grpc = createGrpcServer({
    services,
    context,
    extend: (server) =>
      addReflection(
        server,
        services.map(({ desc }) => desc),
      ),
  });
  const { routes = [], origins } = options;
  const web = createWebServer({ services, context, routes, ...(origins ? { origins } : {}) });
  const anywhere = parseListenAddress("127.0.0.1:0");
  if (!anywhere) throw new Error("127.0.0.1:0 is an address");
  const [grpcPort, webPort] = [await grpc.listen(anywhere), await web.listen(anywhere)];
  return {
    grpc: `127.0.0.1:${grpcPort}`,
    web: `http://127.0.0.1:${webPort}`,
    logged,
    metrics,
    async close() {
      grpc.close();
      web.close();
      await Promise.all([grpc.drain(), web.drain()]);
    },
  };
}
