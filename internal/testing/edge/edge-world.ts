import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { JWK } from "jose";
import { LOOPBACK_ORIGINS, writeEdge } from "../../../envoy/render-edge.ts";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { ControlPlane } from "../../controlplane/service.ts";
import { keepCertificates, type MeshCertificates } from "../../engines/certificates/kept-certificates.ts";
import { envoy, type RunningEnvoy } from "../../engines/envoy/envoy.ts";
import { freePorts } from "../../engines/ports.ts";
import { Mirror } from "../../registry/mirror.ts";
import { Registration } from "../../registry/registration.ts";
import { SharedRegistry, SharedRegistryClient } from "../../registry/shared-registry.ts";
import type { RpcContext } from "../../rpc/calls/call-runner.ts";
import type { ServiceBinding } from "../../rpc/calls/handlers.ts";
import { loadSigningKey, type SigningKey } from "../../rpc/credentials/signing-key.ts";
import { TicketSigner } from "../../rpc/credentials/tickets.ts";
import { localKeys } from "../../rpc/credentials/user-tokens.ts";
import { createGrpcServer } from "../../rpc/grpc/grpc-server.ts";
import { Health } from "../../rpc/health.ts";
import { parseListenAddress } from "../../rpc/listen-address.ts";
import { createRpcMetrics } from "../../rpc/metrics.ts";
import { getRoute, sendJson } from "../../rpc/web/http-route.ts";
import { createWebServer } from "../../rpc/web/web-server.ts";
import { GatewayStandIn } from "./gateway-stand-in.ts";
import { PushStandIn } from "./push-stand-in.ts";
import { TlsFront } from "./tls-front.ts";

const SERVICES = ["gateway", "push", "message", "thread", "presence"] as const;
type EdgeService = (typeof SERVICES)[number];

const HOUR_MS = 3_600_000;

/** What Envoy says of its clusters, as far as it is read here. */
interface ClusterStatuses {
  readonly cluster_statuses: readonly {
    readonly name: string;
    readonly host_statuses?: readonly { readonly health_status?: { readonly eds_health_status?: string } }[];
  }[];
}

/** A program behind the edge, registered. */
export interface Behind {
  readonly registration: Registration;
  /** Its gRPC port and its web port. */
  readonly grpc: TlsFront;
  readonly web: TlsFront;
  /** Ends at once; its place stands until its lease has run out. */
  kill(): void;
}

/**
 * A real Envoy, told by a real control plane, over a registry in memory. What stands behind it is made by tests: services
 * on real listeners, with mTLS before them. Tickets are signed and their keys served as the gateway does.
 */
export class EdgeWorld {
  readonly folder: string;
  readonly certificates: MeshCertificates;
  readonly registry: SharedRegistryClient;
  readonly controlPlane: ControlPlane;
  readonly logged: string[] = [];
  readonly gateway = new GatewayStandIn();
  /** Of `gateway-1`. */
  gatewayRegistration: Registration | undefined;
  /** Keys that the gateway publishes, the signing one first. */
  keys: SigningKey[] = [];
  /** Of other gateways: they are published too. */
  otherKeys: readonly JWK[] = [];
  #envoy: RunningEnvoy | undefined;
  #port = 0;
  #ca = Buffer.alloc(0);
  readonly #context: RpcContext;
  readonly #ends: (() => unknown)[] = [];

  private constructor(
    folder: string,
    certificates: MeshCertificates,
    mirrors: Record<string, Mirror>,
    shared: SharedRegistry,
  ) {
    this.folder = folder;
    this.certificates = certificates;
    this.registry = new SharedRegistryClient(shared);
    const destination = { write: (line: string) => void this.logged.push(line) };
    const log = createLog({ level: "info", destination });
    const metrics = createRpcMetrics(createMetrics({ process: false }));
    this.#context = { clock: systemClock, log, metrics, proxies: new Set(["127.0.0.1"]) };
    this.controlPlane = new ControlPlane({ places: mirrors, log });
  }

  /** With a gateway, unless `hasGateway` is false, and no push server yet. Close it. */
  static async start({ hasGateway = true } = {}): Promise<EdgeWorld> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-edge-"));
    const certificates = await keepCertificates(folder, Date.now());
    const shared = new SharedRegistry(systemClock);
    const registry = new SharedRegistryClient(shared);
    const mirrors = Object.fromEntries(
      SERVICES.map((service) => [service, new Mirror({ registry, clock: systemClock, service })]),
    );
    await Promise.all(Object.values(mirrors).map((mirror) => mirror.start()));
    const world = new EdgeWorld(folder, certificates, mirrors, shared);
    world.#ends.push(() => {
      for (const mirror of Object.values(mirrors)) mirror.close();
    });
    try {
      await world.#begin(hasGateway);
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  /** What clients dial. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** What clients trust, PEM. */
  get ca(): Buffer {
    return this.#ca;
  }

  get envoy(): RunningEnvoy {
    if (!this.#envoy) throw new Error("the edge is not started");
    return this.#envoy;
  }

  /** A push server of that name, registered and, as far as the registry goes, serving. */
  async push(name: string): Promise<PushStandIn & { readonly behind: Behind }> {
    const standIn = new PushStandIn(name, localKeys(this.keys.map(({ publicJwk }) => publicJwk)));
    const behind = await this.serve("push", name, [standIn.binding]);
    return Object.assign(standIn, { behind });
  }

  /** Services on both listeners of a program, `certificateOf` another service's certificate where it should not be believed. */
  async serve(
    service: EdgeService,
    name: string,
    services: readonly ServiceBinding[],
    certificateOf: EdgeService = service,
  ): Promise<Behind> {
    const health = new Health(services.map(({ desc }) => desc.typeName));
    health.set(true);
    const bindings = [...services, health.binding];
    const context = this.#context;
    const grpc = createGrpcServer({ services: bindings, context });
    const web = createWebServer({ services: bindings, context, routes: [this.#ticketKeys()] });
    const anywhere = parseListenAddress("127.0.0.1:0");
    if (!anywhere) throw new Error("127.0.0.1:0 is an address");
    const ports = { grpc: await grpc.listen(anywhere), web: await web.listen(anywhere) };
    this.#ends.push(() => {
      grpc.close();
      web.close();
    });
    return await this.front(service, name, ports, certificateOf);
  }

  /** A program that listens at these plain ports is put behind the edge, as an instance of a service. */
  async front(
    service: EdgeService,
    name: string,
    ports: { readonly grpc: number; readonly web: number },
    certificateOf: EdgeService = service,
  ): Promise<Behind> {
    const files = this.certificates.of(certificateOf);
    const fronts = {
      grpc: await TlsFront.start(files, "h2", ports.grpc),
      web: await TlsFront.start(files, "http/1.1", ports.web),
    };
    const details = { grpc: fronts.grpc.address, web: fronts.web.address };
    const offer = { service, name, address: fronts.grpc.address, build: "", details };
    const registration = new Registration({ registry: this.registry, clock: systemClock, offer });
    await registration.start();
    const kill = () => {
      registration.stop();
      for (const front of [fronts.grpc, fronts.web]) front.kill();
    };
    this.#ends.push(kill);
    return { registration, ...fronts, kill };
  }

  /** A ticket of `ann` for a push server. */
  async ticket(pushServer: string, key = this.keys[0]): Promise<string> {
    if (!key) throw new Error("there is no key");
    const { ticket } = await new TicketSigner(() => key, systemClock).sign({
      userId: "ann",
      deviceId: "phone",
      sessionId: crypto.getRandomValues(new Uint8Array(16)),
      pushServer,
      userTokenExpiresAtMs: Date.now() + HOUR_MS,
    });
    return ticket;
  }

  /** A new key; it signs nothing until it stands first in `keys`. */
  async newKey(): Promise<SigningKey> {
    return await loadSigningKey(join(this.folder, `ticket-${crypto.randomUUID()}.json`));
  }

  /** Envoy's certificates, to clients and to programs, are made anew by the same authority, as when they age. */
  async renewCertificates(): Promise<void> {
    for (const { key } of [this.certificates.edge, this.certificates.of("envoy")]) await writeFile(key, "");
    const { made } = await keepCertificates(this.folder, Date.now());
    if (made.length !== 2) throw new Error(`made anew: ${made}`);
  }

  /** How many endpoints of a cluster Envoy holds for draining. */
  async draining(cluster: string): Promise<number> {
    const { cluster_statuses } = JSON.parse(await this.envoy.ask("/clusters?format=json")) as ClusterStatuses;
    const hosts = cluster_statuses.find(({ name }) => name === cluster)?.host_statuses ?? [];
    return hosts.filter(({ health_status }) => health_status?.eds_health_status === "DRAINING").length;
  }

  /** Resolves once Envoy has the keys of tickets. */
  async knowsTicketKeys(): Promise<void> {
    while ((await this.stat("jwks_fetch_success")) === 0) await new Promise(setImmediate);
  }

  /** Bytes that Envoy has allocated. */
  async envoyBytes(): Promise<number> {
    const { allocated } = JSON.parse(await this.envoy.ask("/memory")) as { allocated: string };
    return Number(allocated);
  }

  /** The fingerprint of what a client is shown that connects now. */
  async shownCertificate(): Promise<string> {
    const socket = connect({ host: "127.0.0.1", port: this.#port, ca: this.#ca });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  /** A number that Envoy counts, by the end of its name. */
  async stat(name: string): Promise<number> {
    const text = await this.envoy.ask(`/stats?usedonly&filter=${encodeURIComponent(`${name}$`)}`);
    return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
  }

  async close(): Promise<void> {
    await this.#envoy?.stop();
    for (const end of this.#ends.reverse()) await end();
    await rm(this.folder, { recursive: true });
  }

  async #begin(hasGateway: boolean): Promise<void> {
    this.keys = [await this.newKey()];
    this.#ca = await readFile(this.certificates.ca);
    const anywhere = parseListenAddress("127.0.0.1:0");
    if (!anywhere) throw new Error("127.0.0.1:0 is an address");
    const discovery = createGrpcServer({ services: [this.controlPlane.binding], context: this.#context });
    const plainPort = await discovery.listen(anywhere);
    this.#ends.push(() => discovery.close());
    const front = await TlsFront.start(this.certificates.of("controlplane"), "h2", plainPort);
    this.#ends.push(() => front.kill());
    if (hasGateway) {
      const { registration } = await this.serve("gateway", "gateway-1", [this.gateway.binding]);
      this.gatewayRegistration = registration;
    }
    const [port = 0, adminPort = 0] = await freePorts(2);
    this.#port = port;
    const config = writeEdge(join(this.folder, "envoy"), {
      nodeId: "edge-1",
      listen: { host: "127.0.0.1", port },
      admin: { host: "127.0.0.1", port: adminPort },
      controlplane: { host: "127.0.0.1", port: front.port },
      edge: this.certificates.edge,
      envoy: this.certificates.of("envoy"),
      ca: this.certificates.ca,
      origins: [LOOPBACK_ORIGINS],
    });
    this.#envoy = await envoy.start({ folder: join(this.folder, "envoy"), config, adminPort });
  }

  #ticketKeys() {
    return getRoute("/.well-known/ticket-keys.json", (response) =>
      sendJson(response, 200, { keys: [...this.keys.map(({ publicJwk }) => publicJwk), ...this.otherKeys] }),
    );
  }
}
