import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Engine, StartOptions } from "../engine.ts";
import { keptPorts } from "../ports.ts";
import { type Part, Processes } from "../processes.ts";
import { untilSaid } from "../until.ts";
import { writeConfiguration, writeLogging } from "./configuration.ts";
import { hbaseSettings } from "./hbase-settings.ts";
import { HBASE_TITLE, installHBase } from "./install-hbase.ts";
import { startJvm } from "./jvm.ts";
import { preparedClasses } from "./on-hdfs.ts";
import type { RunningHBase } from "./running-hbase.ts";

export interface StandaloneOptions extends StartOptions {
  /** How many region servers run in the process: two where regions are to be moved. Default 1. */
  readonly regionServers?: number;
}

/** What it takes on two cores that 40 processes want; one that ends is not waited for. */
const START_MS = 300_000;
const STOP_MS = 40_000;
const SAID_AT_THE_END_BYTES = 64 * 1024;

/**
 * HBase in one process, with its ZooKeeper, on the local file system: for tests of a store. Its process is called "hbase".
 * Nothing is replicated; a write is on the disk before it is acknowledged.
 */
export const standaloneHBase: Engine<StandaloneOptions, RunningHBase> = {
  title: `${HBASE_TITLE} in one process`,

  async install(progress) {
    await preparedClasses(await installHBase(progress), progress);
  },

  async start({ folder, regionServers = 1, progress = () => {} }) {
    const lib = await installHBase(progress);
    const classFlag = await preparedClasses(lib, progress);
    const ports = await keptPorts(folder, ["zookeeper", "master", "regionServer"]);
    const conf = join(folder, "conf");
    await mkdir(conf, { recursive: true });
    await writeConfiguration(conf, "core", { "fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem" });
    await writeConfiguration(conf, "hbase", {
      ...hbaseSettings(folder, `file://${join(folder, "data")}`, ports),
      "hbase.cluster.distributed": false,
      "hbase.regionservers": regionServers,
      "hbase.regionserver.port": regionServers === 1 ? ports.regionServer : 0, // Each its own; ZooKeeper tells them.
      "hbase.unsafe.stream.capability.enforce": false, // The local file system does not say that it syncs.
    });
    await writeLogging(conf);
    const part: Part = {
      name: "hbase",
      start: () =>
        startJvm(
          { folder, lib, classFlag },
          {
            name: "hbase",
            main: "org.apache.hadoop.hbase.master.HMaster",
            args: ["start"],
            heapMib: 512,
            isBrief: true,
            properties: { "zookeeper.admin.enableServer": "false" }, // It would listen on 0.0.0.0:8080.
          },
        ),
      serves: (child) => untilSaid(child, /Master has completed initialization/, START_MS),
      stopMs: STOP_MS,
      // Its master may end first, and ZooKeeper with it: then the region server looks for that for 20 s more.
      isDone(child) {
        const said = child.said(SAID_AT_THE_END_BYTES);
        const [master, regionServer] = [ports.master, ports.regionServer].map((port) => `127.0.0.1,${port},`);
        return (
          said.includes(`Exiting; stopping=${master}`) &&
          new RegExp(`stopping server ${regionServer}\\d+; all regions closed`).test(said)
        );
      },
    };
    const processes = await Processes.start([[part]], [[part]], progress);
    return Object.assign(processes, { quorum: `127.0.0.1:${ports.zookeeper}` });
  },
};
