import { join } from "node:path";
import type { Configuration } from "./configuration.ts";

/** What holds of HDFS; each data node has more of its own. */
export function hdfsSettings(folder: string, nameNode: number): Configuration {
  return {
    "dfs.replication": 3, // Each data node holds all.
    "dfs.permissions.enabled": false,
    "dfs.blocksize": 64 * 1024 * 1024,
    "dfs.namenode.name.dir": `file://${join(folder, "name-node")}`,
    "dfs.namenode.rpc-address": `127.0.0.1:${nameNode}`,
    "dfs.namenode.http-address": "127.0.0.1:0", // It cannot be left out; nobody asks there.
    "dfs.namenode.datanode.registration.ip-hostname-check": false,
    "dfs.namenode.safemode.extension": 0,
    "dfs.namenode.handler.count": 10,
    // A data node that is gone is dead after 2 × 5 + 10 × 1 = 20 s, and not after 10 minutes.
    "dfs.heartbeat.interval": 1,
    "dfs.namenode.heartbeat.recheck-interval": 5_000,
    "dfs.datanode.hostname": "127.0.0.1",
    "dfs.datanode.du.reserved": 0,
    // With as many nodes as replicas there is none to put in the place of one that fails: go on with the others.
    "dfs.client.block.write.replace-datanode-on-failure.best-effort": true,
    // A data node that hangs holds a write up for so long, and not for a minute.
    "dfs.client.socket-timeout": 10_000,
  };
}

/** What one data node is told beside it, as arguments: the name node reads the settings too, and has no such values. */
export function dataNodeArguments(folder: string, port: number, ipcPort: number): string[] {
  const values: Configuration = {
    "dfs.datanode.data.dir": `file://${folder}`,
    "dfs.datanode.address": `127.0.0.1:${port}`,
    "dfs.datanode.ipc.address": `127.0.0.1:${ipcPort}`,
    "dfs.datanode.http.address": "127.0.0.1:0", // As above.
  };
  return Object.entries(values).map(([key, value]) => `-D${key}=${value}`);
}
