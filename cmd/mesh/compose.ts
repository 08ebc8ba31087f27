import { join } from "node:path";
import { LOOPBACK_ORIGINS, writeEdge } from "../../envoy/render-edge.ts";
import { keepCertificates } from "../../internal/engines/certificates/kept-certificates.ts";
import { keepKeys } from "../../internal/engines/certificates/kept-keys.ts";
import { writePrivateFile } from "../../internal/engines/certificates/private-file.ts";
import { COMPOSE_PORTS, DATABASE_URL, ENGINE_PORTS, FOLDER } from "./plan/compose-plan.ts";

/**
 * Makes, in the folder that is named, or `/mesh`, what the containers of docker/compose.yaml need before they start:
 * certificates, keys, the database's URL, the edge's configuration. What is there and fresh stays.
 */
const [, , folder = FOLDER] = process.argv;

const certificates = await keepCertificates(folder, Date.now());
await keepKeys(folder);
await writePrivateFile(join(folder, "keys/database-url"), DATABASE_URL);
writeEdge(join(folder, "envoy"), {
  nodeId: "envoy-1",
  // From outside of the containers: Docker hands calls to this address.
  listen: { host: "0.0.0.0", port: ENGINE_PORTS.edge },
  admin: { host: "127.0.0.1", port: ENGINE_PORTS["envoy/admin"] },
  controlplane: { host: "127.0.0.1", port: COMPOSE_PORTS["controlplane-1/xds"] ?? 0 },
  edge: certificates.edge,
  envoy: certificates.of("envoy"),
  ca: certificates.ca,
  origins: [LOOPBACK_ORIGINS],
});
process.stdout.write(`the keys of the mesh are in ${folder}\n`);
