import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { standaloneHBase } from "../../engines/hbase/standalone.ts";
import { removedWithThisProcess } from "../../engines/keeper.ts";

/** The HBase of this test run. */
export interface HBaseServer {
  /** Where its ZooKeeper is: "127.0.0.1:2181". */
  readonly quorum: string;
}

let running: Promise<HBaseServer> | undefined;

/**
 * The one HBase of this run, in one process with two region servers, started by the first who asks: about 15 s, and
 * minutes more where it is not installed yet, so a test gives its hook the time. Each test makes tables of its own. It ends with this process, however
 * that ends, and its data with it. Tests that kill one start their own.
 */
export function hbaseServer(): Promise<HBaseServer> {
  running ??= start();
  return running;
}

async function start(): Promise<HBaseServer> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-hbase-"));
  removedWithThisProcess(folder);
  return await standaloneHBase.start({ folder, regionServers: 2 });
}
