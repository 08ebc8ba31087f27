import { join } from "node:path";
import { LOOPBACK_ORIGINS, writeEdge } from "../../../envoy/render-edge.ts";
import type { MeshCertificates } from "../../../internal/engines/certificates/kept-certificates.ts";
import type { Progress } from "../../../internal/engines/engine.ts";
import { envoy, type RunningEnvoy } from "../../../internal/engines/envoy/envoy.ts";
import { etcdEngine, type RunningEtcd } from "../../../internal/engines/etcd/etcd-engine.ts";
import { hbaseOnHdfs } from "../../../internal/engines/hbase/on-hdfs.ts";
import type { RunningHBase } from "../../../internal/engines/hbase/running-hbase.ts";
import { postgres, type RunningPostgres } from "../../../internal/engines/postgres/postgres.ts";
import type { Counts } from "../plan/counts.ts";
import type { MeshFolder } from "../plan/mesh-folder.ts";
import type { Ports } from "../plan/ports.ts";

/** What an engine of a mesh is started with. */
export interface EngineGround {
  readonly paths: MeshFolder;
  readonly counts: Counts;
  readonly ports: Ports;
  readonly certificates: MeshCertificates;
}

type StartEngine<E> = (ground: EngineGround, progress: Progress) => Promise<E>;

/** How a mesh starts each engine. Tests of the mesh itself have smaller ones. */
export interface MeshEngines {
  readonly etcd: StartEngine<RunningEtcd>;
  readonly postgres: StartEngine<RunningPostgres>;
  readonly hbase: StartEngine<RunningHBase>;
  readonly envoy: StartEngine<RunningEnvoy>;
}

/** Those that run. */
export interface RunningEngines {
  readonly etcd: RunningEtcd;
  readonly postgres: RunningPostgres;
  /** Undefined in the small mesh. */
  readonly hbase: RunningHBase | undefined;
  readonly envoy: RunningEnvoy;
}

/** The names of the ports that engines are given, beside the programs' listeners. The others keep their own. */
export const ENGINE_PORTS = ["edge", "envoy/admin", "postgres"] as const;

export const realEngines: MeshEngines = {
  etcd: async ({ paths, counts, certificates }, progress) => {
    const { certificate: cert, key, ca } = certificates.of("etcd");
    const folder = join(paths.folder, "etcd");
    return await etcdEngine.start({ folder, members: counts.etcd, tls: { cert, key, ca }, progress });
  },
  postgres: async ({ paths, ports }, progress) =>
    await postgres.start({
      folder: join(paths.folder, "postgres"),
      port: portOf(ports, "postgres"),
      progress,
    }),
  hbase: async ({ paths }, progress) =>
    await hbaseOnHdfs.start({ folder: join(paths.folder, "hbase"), progress }),
  envoy: async ({ paths, ports, certificates }, progress) => {
    const folder = join(paths.folder, "envoy");
    const at = (name: string) => ({ host: "127.0.0.1", port: portOf(ports, name) });
    const config = writeEdge(folder, {
      nodeId: "envoy-1",
      listen: at("edge"),
      admin: at("envoy/admin"),
      controlplane: at("controlplane-1/xds"),
      edge: certificates.edge,
      envoy: certificates.of("envoy"),
      ca: certificates.ca,
      origins: [LOOPBACK_ORIGINS],
    });
    return await envoy.start({ folder, config, adminPort: portOf(ports, "envoy/admin"), progress });
  },
};

/** Throws for a name for which no port was asked: a fault. */
function portOf(ports: Ports, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`no port was chosen for ${name}`);
  return port;
}
