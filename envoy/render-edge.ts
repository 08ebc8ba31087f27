import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cors } from "@connectrpc/connect";

/** An address, of which the port is not 0. */
export interface EdgeAddress {
  readonly host: string;
  readonly port: number;
}

/** A certificate with its chain, and its key: paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What differs from one edge to another. Paths are absolute. */
export interface EdgeValues {
  /** Of this Envoy among several: the control plane names it in its log. */
  readonly nodeId: string;
  /** Where clients reach it. */
  readonly listen: EdgeAddress;
  /** Envoy's own port for operators: what reaches it may do everything. Loopback. */
  readonly admin: EdgeAddress;
  /** Where the control plane serves ADS; a name may stand for several. */
  readonly controlplane: EdgeAddress;
  /** What clients see. */
  readonly edge: CertificateFiles;
  /** What programs of the mesh see: spiffe://heddle/envoy. */
  readonly envoy: CertificateFiles;
  /** PEM of the authority that signs the programs' certificates. */
  readonly ca: string;
  /** Origins of other pages that may call, each a regular expression (RE2) for all of it. */
  readonly origins?: readonly string[];
  /** Clients' connections at a time, each about 70 KB. Default 100,000. */
  readonly maxConnections?: number;
}

/** For `origins`: pages that this machine serves, on any port. The development profile's. */
export const LOOPBACK_ORIGINS = "https?://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]+)?";

/** Services of which any instance answers any call. */
const SERVICES = ["gateway", "message", "thread", "presence"];

const TEMPLATE = join(import.meta.dirname, "edge.yaml");

/**
 * The files of an edge, by path: `edge.yaml` in `folder`, which Envoy is started with, and those that it watches for
 * its certificates. Throws where the template and the values do not fit.
 */
export function renderEdge(folder: string, values: EdgeValues): ReadonlyMap<string, string> {
  const secret = (name: string) => join(folder, `${name}.json`);
  const filled = fill(repeat(readFileSync(TEMPLATE, "utf8"), "SERVICE", SERVICES), {
    NODE_ID: values.nodeId,
    LISTEN_HOST: values.listen.host,
    LISTEN_PORT: values.listen.port,
    ADMIN_HOST: values.admin.host,
    ADMIN_PORT: values.admin.port,
    CONTROLPLANE_HOST: values.controlplane.host,
    CONTROLPLANE_PORT: values.controlplane.port,
    MAX_CONNECTIONS: values.maxConnections ?? 100_000,
    EDGE_SECRET: secret("edge"),
    ENVOY_SECRET: secret("envoy"),
    CA_SECRET: secret("ca"),
    ORIGINS: (values.origins ?? []).map((regex) => ({ safe_regex: { regex } })),
    CORS_METHODS: [...cors.allowedMethods].join(", "),
    CORS_HEADERS: [...cors.allowedHeaders, "Authorization", "X-Request-Id"].join(", "),
    CORS_EXPOSED_HEADERS: [...cors.exposedHeaders].join(", "),
  });
  return new Map([
    [join(folder, "edge.yaml"), filled],
    [secret("edge"), secretOf("edge", { tls_certificate: certificateOf(values.edge) })],
    [secret("envoy"), secretOf("envoy", { tls_certificate: certificateOf(values.envoy) })],
    [secret("ca"), secretOf("ca", { validation_context: authorityOf(values.ca) })],
  ]);
}

/** Writes them. Returns the path of what Envoy is started with. Envoy takes certificates up when files are renamed there. */
export function writeEdge(folder: string, values: EdgeValues): string {
  mkdirSync(folder, { recursive: true });
  for (const [path, text] of renderEdge(folder, values)) {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }
  return join(folder, "edge.yaml");
}

/** What stands between `# for each ${NAME}` and `# end`, once for each value. */
function repeat(template: string, name: string, values: readonly string[]): string {
  const block = new RegExp(`^ *# for each \\$\\{${name}\\}\\n([^]*?)^ *# end\\n`, "m");
  return template.replace(block, (_, body: string) =>
    values.map((value) => body.replaceAll(`\${${name}}`, value)).join(""),
  );
}

/** Each `${NAME}` is replaced by its value as JSON, which is YAML. */
function fill(template: string, values: Readonly<Record<string, unknown>>): string {
  const unused = new Set(Object.keys(values));
  const filled = template.replaceAll(/\$\{([A-Z_]+)\}/g, (place, name: string) => {
    if (name === "NAME") return place; // Of the comment that explains it.
    if (!(name in values)) throw new Error(`edge.yaml asks for ${place}, which nobody gives`);
    unused.delete(name);
    return JSON.stringify(values[name]);
  });
  if (unused.size > 0) throw new Error(`edge.yaml has no place for ${[...unused].join(", ")}`);
  return filled;
}

function secretOf(name: string, secret: object): string {
  const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
  return JSON.stringify({ resources: [{ "@type": type, name, ...secret }] }, null, 2);
}

function certificateOf({ certificate, key }: CertificateFiles): object {
  return {
    certificate_chain: { filename: certificate },
    private_key: { filename: key },
    watched_directory: { path: dirname(certificate) },
  };
}

function authorityOf(ca: string): object {
  return { trusted_ca: { filename: ca }, watched_directory: { path: dirname(ca) } };
}
