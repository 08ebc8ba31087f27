import { join } from "node:path";
import type { Configuration } from "./configuration.ts";

/** Where HBase's own servers listen, all on 127.0.0.1. */
export interface HBasePorts {
  readonly zookeeper: number;
  readonly master: number;
}

/**
 * How long a server may be silent before ZooKeeper gives it up, and others take over what it had. Shorter, and a machine
 * of two cores that is busy loses servers that are well.
 */
export const SESSION_MS = 10_000;

/** What holds of HBase in one process and in several. `root` is the URL of its files. */
export function hbaseSettings(folder: string, root: string, ports: HBasePorts): Configuration {
  return {
    "hbase.rootdir": root,
    "hbase.tmp.dir": join(folder, "tmp"),
    // An acknowledged write survives a power cut; without it about 1 in 200 did not.
    "hbase.wal.hsync": true,
    "hbase.zookeeper.quorum": "127.0.0.1",
    "hbase.zookeeper.property.clientPort": ports.zookeeper,
    "hbase.zookeeper.property.clientPortAddress": "127.0.0.1",
    "hbase.zookeeper.property.dataDir": join(folder, "zookeeper"),
    "hbase.zookeeper.property.tickTime": SESSION_MS / 5, // A session lasts 2 to 20 ticks.
    "zookeeper.session.timeout": SESSION_MS,
    "hbase.master.hostname": "127.0.0.1",
    "hbase.unsafe.regionserver.hostname": "127.0.0.1",
    "hbase.master.ipc.address": "127.0.0.1",
    "hbase.regionserver.ipc.address": "127.0.0.1",
    "hbase.master.port": ports.master,
    "hbase.master.info.port": -1, // No pages.
    "hbase.regionserver.info.port": -1,
    "hbase.regionserver.msginterval": 1_000, // At a start it asks its master again after so long.
    // Each family of each region takes one of 2 MiB otherwise: 100 MiB for 16 regions of three.
    "hbase.hregion.memstore.mslab.chunksize": 256 * 1024,
    "hbase.hregion.memstore.mslab.max.allocation": 64 * 1024,
  };
}
