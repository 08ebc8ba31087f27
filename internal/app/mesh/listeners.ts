import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { internalService } from "../../peers/internal-services.ts";
import { linkListener, type ServeLink } from "../../peers/link-listener.ts";
import type { RpcContext } from "../../rpc/calls/call-runner.ts";
import type { ServiceBinding } from "../../rpc/calls/handlers.ts";
import { insider } from "../../rpc/calls/internal-services.ts";
import { createGrpcServer, type GrpcServer } from "../../rpc/grpc/grpc-server.ts";
import { Health } from "../../rpc/health.ts";
import { FRAME_BYTES } from "../../rpc/links/limits.ts";
import type { ListenAddress } from "../../rpc/listen-address.ts";
import { createWebServer, type WebServer } from "../../rpc/web/web-server.ts";
import { bound, untilIdle } from "../operators/listening.ts";
import type { Certificates } from "./certificates.ts";
import type { ProgramWord, Serving } from "./program.ts";
import type { Addresses } from "./settings.ts";
import { CLIENTS_FROM, LINKS_FROM } from "./who-calls-whom.ts";

export interface ListenersInit {
  readonly service: ProgramWord;
  readonly serving: Serving;
  readonly context: RpcContext;
  /** Without them nothing is encrypted, and all who come are let in. */
  readonly certificates: Certificates | undefined;
}

/** Ports by the word of the listener. */
export interface BoundPorts {
  readonly link?: number;
  readonly grpc?: number;
  readonly web?: number;
  readonly xds?: number;
}

/** The listeners of a program: for links of other programs, for clients, which come through the edge, and for Envoys. */
export class Listeners {
  readonly health: Health;
  readonly #init: ListenersInit;
  readonly #open: (GrpcServer | WebServer)[] = [];

  constructor(init: ListenersInit) {
    this.#init = init;
    this.health = new Health((init.serving.bindings ?? []).map(({ desc }) => desc.typeName));
  }

  /** Binds those that have an address. Resolves to the ports. Rejects with ListenError. */
  async listen({ link, grpc, web, xds }: Addresses): Promise<BoundPorts> {
    const { serving } = this.#init;
    const { serve, bindings = [], routes = [], discovery } = serving;
    const services = [...bindings, this.health.binding];
    return {
      ...(link && serve && { link: await this.#bind("HEDDLE_LINK_ADDR", link, this.#linkServer(serve)) }),
      ...(grpc && { grpc: await this.#bind("HEDDLE_GRPC_ADDR", grpc, this.#grpcServer(services)) }),
      ...(xds &&
        discovery && { xds: await this.#bind("HEDDLE_XDS_ADDR", xds, this.#grpcServer([discovery])) }),
      ...(web && {
        web: await this.#bind(
          "HEDDLE_WEB_ADDR",
          web,
          createWebServer({ ...this.#base("web", CLIENTS_FROM), services, routes }),
        ),
      }),
    };
  }

  /** Accepts nothing more, and waits for what is under way, at most `drainMs`. */
  async drain(clock: Clock, drainMs: number): Promise<void> {
    this.health.set(false);
    this.health.endWatches();
    await untilIdle(clock, drainMs, this.#open);
  }

  close(): void {
    for (const listener of this.#open) listener.close();
  }

  async #bind(setting: string, address: ListenAddress, server: GrpcServer | WebServer): Promise<number> {
    this.#open.push(server);
    return await bound(setting, () => server.listen(address));
  }

  #linkServer(serve: ServeLink): GrpcServer {
    const { service, context } = this.#init;
    const link = linkListener(serve, context.clock, faultIn(context.log));
    const desc = internalService(service);
    return createGrpcServer({
      ...this.#base("link", LINKS_FROM[service] ?? []),
      services: [
        { desc, authenticate: insider, handlers: { link }, piecewise: new Set() },
        this.health.binding,
      ],
      isInternal: true,
      maxMessageBytes: FRAME_BYTES,
    });
  }

  #grpcServer(services: readonly ServiceBinding[]): GrpcServer {
    return createGrpcServer({ ...this.#base("grpc", CLIENTS_FROM), services });
  }

  #base(listener: "link" | "grpc" | "web", from: readonly string[]) {
    const { context, certificates } = this.#init;
    return certificates ? { context, admission: certificates.admission(listener, from) } : { context };
  }
}

/** What a handler of a link threw that is no word of a service. */
function faultIn(log: Logger): (error: unknown) => void {
  return (error) => log.error({ err: error }, "a call over a link failed unexpectedly");
}
