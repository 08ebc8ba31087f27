import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { type Client, connect } from "../../../../client/index.ts";
import type { Service } from "../../../engines/certificates/authority.ts";
import { etcdEngine, type RunningEtcd } from "../../../engines/etcd/etcd-engine.ts";
import { plainDatabase } from "../../postgres/plain-database.ts";
import { type OwnPostgres, ownPostgres } from "../../postgres/postgres-server.ts";
import { devTokens } from "../../trials/programs/heddle-process.ts";
import { EdgeStandIn } from "./edge-stand-in.ts";
import { MeshCertificates } from "./mesh-certificates.ts";
import { MeshChild } from "./mesh-child.ts";
import { routedTransport } from "./routed-transport.ts";

/** Programs with rows. */
const WITH_ROWS = ["gateway", "message", "presence", "thread"];

/**
 * Programs of the mesh as processes of their own, on a real etcd and a real Postgres, known to one another by certificates.
 * Without an edge: what stands for it carries clients to each program. In the development profile, whose key the gateways
 * have.
 */
export class TestMesh {
  readonly folder: string;
  readonly etcd: RunningEtcd;
  readonly postgres: OwnPostgres;
  readonly databaseUrl: string;
  readonly certificates: MeshCertificates;
  readonly edge: EdgeStandIn;
  readonly children = new Map<string, MeshChild>();
  readonly #clients = new Set<Client>();
  #devices = 0;

  private constructor(init: Pick<TestMesh, "folder" | "etcd" | "postgres" | "databaseUrl" | "certificates">) {
    this.folder = init.folder;
    this.etcd = init.etcd;
    this.postgres = init.postgres;
    this.databaseUrl = init.databaseUrl;
    this.certificates = init.certificates;
    this.edge = new EdgeStandIn(init.certificates.of("envoy"));
  }

  /** The engines, and no program yet. */
  static async open(): Promise<TestMesh> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-mesh-"));
    const certificates = await MeshCertificates.make(join(folder, "certificates"));
    const { certificate: cert, key, ca } = certificates.of("etcd");
    const [etcd, postgres] = await Promise.all([
      etcdEngine.start({ folder: join(folder, "etcd"), tls: { cert, key, ca } }),
      ownPostgres(),
    ]);
    const database = await plainDatabase(postgres);
    await database.client.end();
    const mesh = new TestMesh({ folder, etcd, postgres, databaseUrl: database.url, certificates });
    await writeFile(mesh.devKey, JSON.stringify(await newKey()));
    await mesh.writeTicketKeys([await newKey()]);
    return mesh;
  }

  get devKey(): string {
    return join(this.folder, "dev.json");
  }

  get ticketKeys(): string {
    return join(this.folder, "tickets.json");
  }

  /** What gateways and push servers read. */
  async writeTicketKeys(keys: readonly JWK[]): Promise<void> {
    await writeFile(this.ticketKeys, JSON.stringify({ keys }));
  }

  /** Starts programs by their names, as in "push-1", all at once. A gateway comes first: the others ask it for keys. */
  async start(...names: string[]): Promise<void> {
    const gateways = names.filter((name) => name.startsWith("gateway"));
    for (const some of [gateways, names.filter((name) => !gateways.includes(name))])
      await Promise.all(some.map((name) => this.#start(name)));
  }

  /** The one that is running, or ran last. */
  child(name: string): MeshChild {
    const child = this.children.get(name);
    if (!child) throw new Error(`${name} was never started`);
    return child;
  }

  /** Those of a service that run. */
  running(service: string): readonly MeshChild[] {
    return [...this.children.values()].filter((child) => child.service === service && child.isRunning);
  }

  /** A figure of each program of a service that runs: the first line of the metric. */
  async figures(service: string, metric: string): Promise<number[]> {
    const texts = await Promise.all(this.running(service).map((child) => child.admin("/metrics")));
    return texts.map(({ text }) => Number(new RegExp(`^${metric}(?:\\{.*\\})? (.+)$`, "m").exec(text)?.[1]));
  }

  /** A client on a device of its own; `deviceId` for one of before. */
  async client(userId: string, deviceId = `device-${++this.#devices}`): Promise<Client> {
    const client = await connect({
      userId,
      deviceId,
      transport: routedTransport(
        (word) => this.running(word).map(({ addresses }) => addresses.grpc ?? ""),
        (address) => this.edge.at(address),
      ),
      credentials: async () => (await devTokens(this.#webUrl, [userId]))[userId] ?? "",
    });
    this.#clients.add(client);
    return client;
  }

  /** Ends every program in good order, all at once. Resolves to their exit codes by name. */
  async stop(): Promise<Record<string, unknown>> {
    const ended = [...this.children].map(async ([name, child]) => [name, await child.stop()] as const);
    return Object.fromEntries(await Promise.all(ended));
  }

  /** Ends all of it. */
  async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    await Promise.all([...this.children.values()].map((child) => child.stop("SIGKILL")));
    this.edge.close();
    await this.etcd.stop();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  get #webUrl(): string {
    const web = this.running("gateway")[0]?.addresses.web;
    return web === undefined ? "" : `http://${this.edge.at(web)}`;
  }

  async #start(name: string): Promise<void> {
    const [service = ""] = name.split("-");
    const child = await MeshChild.start(service, this.env(service, name));
    const { grpc, web } = child.addresses;
    if (grpc !== undefined) await this.edge.carry(grpc, "h2");
    if (web !== undefined) await this.edge.carry(web, "http/1.1");
    this.children.set(name, child);
  }

  /** What a program is told. */
  env(service: string, name: string): Record<string, string> {
    const isGateway = service === "gateway";
    const hasTickets = isGateway || service === "push";
    const { certificate, key, ca } = this.certificates.of(service as Service);
    return {
      HEDDLE_NAME: name,
      HEDDLE_REGISTRY_URL: this.etcd.url,
      HEDDLE_LOG_LEVEL: "info",
      HEDDLE_DRAIN_MS: "2000",
      ...{ HEDDLE_TLS_CERT: certificate, HEDDLE_TLS_KEY: key, HEDDLE_TLS_CA: ca },
      ...(WITH_ROWS.includes(service) && { HEDDLE_DATABASE_URL: this.databaseUrl }),
      ...(hasTickets && { HEDDLE_TICKET_KEYS_FILE: this.ticketKeys }),
      ...(isGateway && { HEDDLE_DEV_KEY_FILE: this.devKey }),
      ...(WITH_ROWS.includes(service) &&
        !isGateway && {
          HEDDLE_AUTH_ISSUER: "heddle-dev",
          HEDDLE_AUTH_JWKS_URL: `${this.#webUrl}/.well-known/jwks.json`,
        }),
    };
  }
}

/** A private P-256 key. */
export async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return exportJWK(privateKey);
}
