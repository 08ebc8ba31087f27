import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { type Admission, admit } from "../tls/peer-tls.ts";

type PingCallback = (error: Error | null, durationMs: number, payload: Buffer) => void;

const PAYLOAD = Buffer.alloc(8);

/**
 * The connections of a gRPC server while it drains. From Node 24 on closing a listener marks its connections as
 * closing, which grpc-js 1.14 takes for closed: the next keepalive ping, which Node does not send on such a
 * connection, cuts it in the middle of its streams, and forceShutdown leaves it open. So pings of closing connections
 * are answered here, and `destroy` ends what is left; grpc-js has no public way to either.
 */
export class GrpcConnections {
  readonly #sessions = new Set<ServerHttp2Session>();

  /** Watches what is accepted from now on, and lets in those that it may. To be called once the server is bound. */
  watch(server: Server, admission?: Admission): void {
    const { http2Servers } = server as unknown as { http2Servers: ReadonlyMap<Http2Server, unknown> };
    for (const listener of http2Servers.keys()) {
      if (admission) admit(listener, admission);
      listener.on("session", (session) => {
        this.#sessions.add(session);
        session.once("close", () => this.#sessions.delete(session));
        keepWhileClosing(session);
      });
    }
  }

  /** Ends them now, with all their streams. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

function keepWhileClosing(session: ServerHttp2Session): void {
  const ping = session.ping.bind(session);
  session.ping = (...args: unknown[]): boolean => {
    if (!session.closed || session.destroyed) return Reflect.apply(ping, undefined, args);
    const callback = args.find((one) => typeof one === "function") as PingCallback | undefined;
    queueMicrotask(() => callback?.(null, 0, PAYLOAD));
    return true;
  };
}
