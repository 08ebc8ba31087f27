import { join } from "node:path";
import { countsOf } from "./counts.ts";
import { listenerNames, type ProgramPlan, programPlans } from "./program-plan.ts";

/** Where the volume that all containers share is mounted. */
export const FOLDER = "/mesh";

/** Ports of engines within the network that all containers share, and the one that clients dial. */
export const ENGINE_PORTS = {
  edge: 8443,
  "envoy/admin": 9901,
  etcd: 2379,
  "etcd/peer": 2380,
  postgres: 5432,
};

/** The first port of the programs' listeners; each next listener has the next. */
const FIRST_PORT = 7100;

const counts = countsOf("postgres");

/** The ports of all listeners, by name: `push-1/grpc`. */
export const COMPOSE_PORTS: Readonly<Record<string, number>> = {
  ...ENGINE_PORTS,
  ...Object.fromEntries(listenerNames(counts).map((name, at) => [name, FIRST_PORT + at])),
};

/** The database, which nothing but these containers reaches. */
export const DATABASE_URL = `postgres://heddle:heddle@127.0.0.1:${ENGINE_PORTS.postgres}/heddle`;

/** The files of a mesh's folder that programs are told, as `make mesh` keeps them. */
const key = (name: string) => join(FOLDER, "keys", name);

/** The programs of docker/compose.yaml: what `make mesh STORE=postgres` runs, at ports that never change. */
export const composePlans: readonly ProgramPlan[] = programPlans({
  store: "postgres",
  counts,
  ports: COMPOSE_PORTS,
  certificatesOf: (service) => ({
    certificate: key(`${service}/certificate.pem`),
    key: key(`${service}/key.pem`),
    ca: join(FOLDER, "ca.pem"),
  }),
  keys: {
    tickets: key("tickets.json"),
    ticketsPublic: key("tickets-public.json"),
    dev: key("dev.json"),
  },
  registryUrl: `https://127.0.0.1:${ENGINE_PORTS.etcd}`,
  databaseUrlFile: key("database-url"),
  hbaseQuorum: undefined,
  edgeUrl: `https://127.0.0.1:${ENGINE_PORTS.edge}`,
});
