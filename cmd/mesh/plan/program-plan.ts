import { join } from "node:path";
import type { CertificateFiles } from "../../../internal/engines/certificates/kept-certificates.ts";
import type { MeshKeys } from "../../../internal/engines/certificates/kept-keys.ts";
import { DEV_ISSUER } from "../../../internal/rpc/credentials/user-tokens.ts";
import { type Counts, PROGRAMS, type ProgramService, type Store } from "./counts.ts";
import type { Ports } from "./ports.ts";

/** A program of the mesh before it runs. */
export interface ProgramPlan {
  /** Unique in the mesh: "push-2". */
  readonly name: string;
  readonly service: ProgramService;
  /** Its settings, and nothing of the environment that the mesh was started in but what is no setting of ours. */
  readonly env: Readonly<Record<string, string>>;
  /** The port of /readyz and /metrics. */
  readonly adminPort: number;
}

/** What the programs are told of all that is beside them. */
export interface Surroundings {
  readonly store: Store;
  readonly counts: Counts;
  /** Of every listener, `<name>/<listener>`. */
  readonly ports: Ports;
  readonly certificatesOf: (service: ProgramService) => CertificateFiles;
  readonly keys: MeshKeys;
  readonly registryUrl: string;
  /** A file that holds it: it has a password. */
  readonly databaseUrlFile: string;
  /** ZooKeeper's members; undefined without HBase. */
  readonly hbaseQuorum: string | undefined;
  /** What clients dial. */
  readonly edgeUrl: string;
}

/** Which listeners each has, beside `admin`. */
const LISTENERS: Readonly<Record<ProgramService, readonly string[]>> = {
  gateway: ["grpc", "web"],
  push: ["link", "grpc", "web"],
  message: ["link", "grpc", "web"],
  channel: ["link"],
  presence: ["link", "grpc", "web"],
  thread: ["link", "grpc", "web"],
  controlplane: ["xds"],
};

/** The names of a mesh's programs: `push-1`, `push-2`, … */
export function programNames(
  counts: Counts,
): readonly { readonly name: string; readonly service: ProgramService }[] {
  return PROGRAMS.flatMap((service) =>
    Array.from({ length: counts[service] }, (_, index) => ({ name: `${service}-${index + 1}`, service })),
  );
}

/** The names of their listeners, for which ports are needed: `push-1/grpc`. */
export function listenerNames(counts: Counts): readonly string[] {
  return programNames(counts).flatMap(({ name, service }) =>
    [...LISTENERS[service], "admin"].map((listener) => `${name}/${listener}`),
  );
}

/** Every program of the mesh with its settings. */
export function programPlans(around: Surroundings): readonly ProgramPlan[] {
  return programNames(around.counts).map(({ name, service }) => ({
    name,
    service,
    adminPort: around.ports[`${name}/admin`] ?? 0,
    env: { ...everyEnv(name, service, around), ...ownEnv(service, around) },
  }));
}

function everyEnv(name: string, service: ProgramService, around: Surroundings): Record<string, string> {
  const { certificate, key, ca } = around.certificatesOf(service);
  const addresses = [...LISTENERS[service], "admin"].map((listener) => [
    `HEDDLE_${listener.toUpperCase()}_ADDR`,
    `127.0.0.1:${around.ports[`${name}/${listener}`]}`,
  ]);
  return {
    ...Object.fromEntries(addresses),
    HEDDLE_NAME: name,
    HEDDLE_REGISTRY_URL: around.registryUrl,
    HEDDLE_TLS_CERT: certificate,
    HEDDLE_TLS_KEY: key,
    HEDDLE_TLS_CA: ca,
    HEDDLE_LOG_LEVEL: "info",
  };
}

/** What one service is told beyond what all are. */
function ownEnv(service: ProgramService, around: Surroundings): Record<string, string> {
  const rows = { HEDDLE_DATABASE_URL_FILE: around.databaseUrlFile };
  const users = {
    HEDDLE_AUTH_ISSUER: DEV_ISSUER,
    HEDDLE_AUTH_JWKS_URL: `${around.edgeUrl}/.well-known/jwks.json`,
    NODE_EXTRA_CA_CERTS: around.certificatesOf(service).ca,
  };
  switch (service) {
    case "gateway":
      return {
        ...rows,
        HEDDLE_TICKET_KEYS_FILE: around.keys.tickets,
        HEDDLE_DEV_KEY_FILE: around.keys.dev,
      };
    case "push":
      return {
        HEDDLE_TICKET_KEYS_FILE: around.keys.ticketsPublic,
        HEDDLE_GRPC_URL: around.edgeUrl,
        HEDDLE_WEB_URL: around.edgeUrl,
      };
    case "message":
      return { ...rows, ...users, ...messageStoreEnv(around) };
    case "presence":
    case "thread":
      return { ...rows, ...users };
    case "channel":
    case "controlplane":
      return {};
  }
}

function messageStoreEnv({ store, hbaseQuorum }: Surroundings): Record<string, string> {
  if (store === "postgres") return { HEDDLE_MESSAGE_STORE: "postgres" };
  return { HEDDLE_MESSAGE_STORE: "hbase", ...(hbaseQuorum && { HEDDLE_HBASE_QUORUM: hbaseQuorum }) };
}

/** The file that starts a service's program. */
export function programMain(service: ProgramService): string {
  return join(import.meta.dirname, "../..", service, "main.ts");
}
