import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Engine, EngineError, type Progress, type StartOptions } from "../engine.ts";
import { keptPorts } from "../ports.ts";
import { type Part, Processes } from "../processes.ts";
import { untilListening, untilSaid } from "../until.ts";
import { classArchive } from "./class-archive.ts";
import { writeConfiguration, writeLogging } from "./configuration.ts";
import { hbaseSettings } from "./hbase-settings.ts";
import { dataNodeArguments, hdfsSettings } from "./hdfs-settings.ts";
import { HBASE_TITLE, installHBase } from "./install-hbase.ts";
import { type JvmOptions, type JvmPlace, startJvm } from "./jvm.ts";
import type { RunningHBase } from "./running-hbase.ts";

/** The eight processes by name. */
export const HBASE_PROCESSES = [
  "name-node",
  "data-node-1",
  "data-node-2",
  "data-node-3",
  "zookeeper",
  "master",
  "region-server-1",
  "region-server-2",
] as const;

/** What it takes on two cores that 40 processes want; one that ends is not waited for. */
const START_MS = 300_000;
const STOP_MS = 15_000;
const PORTS = [
  "nameNode",
  "dataNode1",
  "dataNode1Ipc",
  "dataNode2",
  "dataNode2Ipc",
  "dataNode3",
  "dataNode3Ipc",
  "zookeeper",
  "master",
  "regionServer1",
  "regionServer2",
] as const;
type Ports = Readonly<Record<(typeof PORTS)[number], number>>;

/**
 * HBase as a team would run it, small: a name node, three data nodes with a replica of everything each, ZooKeeper, a master
 * and two region servers. A write is on three disks before it is acknowledged.
 */
export const hbaseOnHdfs: Engine<StartOptions, RunningHBase> = {
  title: `${HBASE_TITLE} on HDFS`,

  async install(progress) {
    await preparedClasses(await installHBase(progress), progress);
  },

  async start({ folder, progress = () => {} }) {
    const lib = await installHBase(progress);
    const classFlag = await preparedClasses(lib, progress);
    return await startEight({ folder, lib, classFlag }, progress);
  },
};

/** What tells a JVM of HBase, in one process as well, of the classes that were read beforehand. */
export async function preparedClasses(lib: string, progress: Progress): Promise<JvmPlace["classFlag"]> {
  const archive = await classArchive(lib, progress, async (folder, classFlag) => {
    const trained = await startEight({ folder, lib, classFlag }, progress);
    await trained.stop();
  });
  return () => `-XX:SharedArchiveFile=${archive}`;
}

async function startEight(place: JvmPlace, progress: Progress): Promise<RunningHBase> {
  const ports = await keptPorts(place.folder, PORTS);
  await writeSettings(place.folder, ports);
  await formatOnce(place);
  const hdfs = [nameNode(place, ports)];
  const dataNodes = [1, 2, 3].map((number) => dataNode(place, ports, number as 1 | 2 | 3));
  const keeper = [zookeeper(place, ports)];
  const masters = [master(place)];
  const servers = [1, 2].map((number) => regionServer(place, ports, number as 1 | 2));
  const processes = await Processes.start(
    [[...hdfs, ...keeper], dataNodes, [...masters, ...servers]],
    [servers, masters, keeper, dataNodes, hdfs],
    progress,
  );
  return Object.assign(processes, { quorum: `127.0.0.1:${ports.zookeeper}` });
}

async function writeSettings(folder: string, ports: Ports): Promise<void> {
  const conf = join(folder, "conf");
  // Each daemon of HDFS looks for the pages of its own; without the folder it does not start.
  for (const pages of ["hdfs", "datanode"]) await mkdir(join(conf, "webapps", pages), { recursive: true });
  const files = `hdfs://127.0.0.1:${ports.nameNode}`;
  await writeConfiguration(conf, "core", { "fs.defaultFS": files, "hadoop.tmp.dir": join(folder, "tmp") });
  await writeConfiguration(conf, "hdfs", hdfsSettings(folder, ports.nameNode));
  await writeConfiguration(conf, "hbase", {
    ...hbaseSettings(folder, `${files}/hbase`, ports),
    "hbase.cluster.distributed": true,
    "hbase.regionserver.port": `\${region.server.port}`,
    // Go on at once when both have come, and not after 4.5 s.
    "hbase.master.wait.on.regionservers.mintostart": 1,
    "hbase.master.wait.on.regionservers.maxtostart": 2,
    // The log of a server that died is had within a second and not within four.
    "hbase.lease.recovery.first.pause": 1_000,
  });
  await writeLogging(conf);
}

async function formatOnce(place: JvmPlace): Promise<void> {
  if (existsSync(join(place.folder, "name-node/current/VERSION"))) return;
  const format = await startJvm(place, {
    name: "format",
    main: NAME_NODE,
    args: ["-format", "-force"],
    heapMib: 128,
    isBrief: true,
  });
  const { code } = await format.finish();
  if (code !== 0) throw new EngineError(`formatting HDFS ended with ${code}; ${format.lastWords()}`);
}

const NAME_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode";

function nameNode(place: JvmPlace, ports: Ports): Part {
  const options = { name: "name-node", main: NAME_NODE, heapMib: 128, isBrief: true };
  return part(place, options, (child) => untilListening(child, ports.nameNode, START_MS));
}

function dataNode(place: JvmPlace, ports: Ports, number: 1 | 2 | 3): Part {
  const name = `data-node-${number}`;
  const port = ports[`dataNode${number}`];
  const args = dataNodeArguments(join(place.folder, name), port, ports[`dataNode${number}Ipc`]);
  const main = "org.apache.hadoop.hdfs.server.datanode.DataNode";
  return part(place, { name, main, args, heapMib: 128, isBrief: true }, (child) =>
    untilSaid(child, /successfully registered with NN/, START_MS),
  );
}

function zookeeper(place: JvmPlace, ports: Ports): Part {
  const options = {
    name: "zookeeper",
    main: "org.apache.hadoop.hbase.zookeeper.HQuorumPeer",
    heapMib: 64,
    isBrief: true,
    properties: { "zookeeper.admin.enableServer": "false" }, // It would listen on 0.0.0.0:8080.
  };
  return part(place, options, (child) => untilListening(child, ports.zookeeper, START_MS));
}

function master(place: JvmPlace): Part {
  const options = {
    name: "master",
    main: "org.apache.hadoop.hbase.master.HMaster",
    args: ["start"],
    heapMib: 256,
    isBrief: true,
  };
  return part(place, options, (child) => untilSaid(child, /Master has completed initialization/, START_MS));
}

function regionServer(place: JvmPlace, ports: Ports, number: 1 | 2): Part {
  const options = {
    name: `region-server-${number}`,
    main: "org.apache.hadoop.hbase.regionserver.HRegionServer",
    args: ["start"],
    heapMib: 384,
    properties: { "region.server.port": ports[`regionServer${number}`] },
  };
  return part(place, options, (child) => untilSaid(child, /Serving as /, START_MS));
}

function part(place: JvmPlace, options: JvmOptions, serves: Part["serves"]): Part {
  return { name: options.name, start: () => startJvm(place, options), serves, stopMs: STOP_MS };
}
