import { systemClock } from "../../../base/clock.ts";
import { fromHex } from "../../../base/ids.ts";
import { HbaseMaster } from "../../../store/hbase/cluster/hbase-master.ts";
import { HbaseTable } from "../../../store/hbase/cluster/hbase-table.ts";
import { type Quorum, readQuorum } from "../../../store/hbase/cluster/quorum.ts";
import { ServerLinks } from "../../../store/hbase/cluster/server-links.ts";
import { driverNamed } from "../../../store/hbase/drivers.ts";
import { namedRoute } from "../../../store/hbase/wall/driver.ts";
import { rowKey } from "../../../store/keys.ts";
import type { Fault } from "./fault.ts";
import type { Ground } from "./ground.ts";

/** What ZooKeeper waits for a region server that says nothing, and what its regions then take, in ms. */
const SERVER_LOST_MS = 30_000;

/** The table of a mesh that is told no other name. */
const TABLE = "heddle";

/** Faults of HBase and of the disks below it. */
export const hbaseFaults: readonly Fault[] = [
  storeFault("a region server is killed", (ground) => ground.kill("region-server-1", SERVER_LOST_MS)),
  storeFault("a region server stands still for 30 s", (ground) => ground.pause("region-server-2", 30_000)),
  killedDataNode("data-node-1"),
  storeFault("a region is moved, and another is split", moveAndSplit),
];

/** A fault that makes message servers look for their regions again. */
function storeFault(title: string, befall: Fault["befall"]): Fault {
  const lookups = (ground: Ground) => ground.metric("message", "heddle_hbase_lookups_total");
  let before = 0;
  return {
    title,
    befall: async (ground) => {
      before = await lookups(ground);
      await befall(ground);
    },
    bites: async (ground) => ({ "regions looked up again": (await lookups(ground)) - before }),
  };
}

/** Writes go on with the two replicas that are left. */
function killedDataNode(name: string): Fault {
  let before = 0;
  return {
    title: "a data node is killed",
    befall: async (ground) => {
      before = ground.mesh.process(name).pid;
      await ground.kill(name, 10_000);
    },
    bites: async ({ mesh }) => ({ "data nodes anew": Number(mesh.process(name).pid !== before) }),
  };
}

/** The regions of two threads that people write in. */
async function moveAndSplit({ mesh, crowd }: Ground): Promise<void> {
  const quorum = readQuorum(mesh.engines.hbase?.quorum ?? "");
  const master = new HbaseMaster({ quorum, findRoute: namedRoute, clock: systemClock });
  const [first, second] = crowd.threadIds.filter((id) => id !== undefined).map((id) => rowOf(id));
  if (!first || !second) throw new Error("there are no groups");
  crowd.trouble("move and split", 15_000);
  await withTable(quorum, async (table) => {
    const region = await table.region(first);
    const servers = await master.regionServers();
    const other = servers.find((name) => name.split(",", 2).join(":") !== region.address);
    await master.moveRegion(region, other);
    await master.splitRegion(TABLE, await table.region(second), second.slice(0, 4));
  });
}

const rowOf = (threadId: string) => rowKey({ threadId: fromHex(threadId), bucket: 0 });

async function withTable(quorum: Quorum, use: (table: HbaseTable) => Promise<void>): Promise<void> {
  const clock = systemClock;
  const links = new ServerLinks({ driver: driverNamed("thin"), findRoute: namedRoute, clock });
  const table = new HbaseTable({ table: TABLE, quorum, links, clock, callMs: 10_000, maxBytes: 1e6 });
  try {
    await use(table);
  } finally {
    table.close();
    links.close();
  }
}
