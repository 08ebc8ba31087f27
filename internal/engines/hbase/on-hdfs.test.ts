import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "../child.ts";
import type { ProcessEnd } from "../engine.ts";
import { isListening } from "../until.ts";
import { HBASE_PROCESSES, hbaseOnHdfs } from "./on-hdfs.ts";
import type { RunningHBase } from "./running-hbase.ts";

/** On an idle machine of two cores a start takes 15 s; this leaves room for others, and for the installation. */
const START_MS = 10 * 60_000;

describe("HBase on HDFS", function () {
  this.timeout(START_MS);
  let folder: string;
  let hbase: RunningHBase;
  const ends: ProcessEnd[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-on-hdfs-"));
    hbase = await hbaseOnHdfs.start({ folder });
    hbase.onEnded((end) => ends.push(end));
  });

  after(async () => {
    await hbase?.stop();
    await rm(folder, { recursive: true });
  });

  const clusterIds = async () => {
    const said = await readFile(join(folder, "logs/region-server-1.log"), "utf8");
    return new Set([...said.matchAll(/ClusterId : (\S+)/g)].map(([, id]) => id));
  };

  it("runs eight processes, and serves where it says", async () => {
    assert.deepEqual([...hbase.processes.keys()].sort(), [...HBASE_PROCESSES].sort());
    for (const { name, isRunning } of hbase.processes.values()) assert.ok(isRunning, name);
    assert.equal(await isListening(Number(hbase.quorum.split(":")[1])), true);
  });

  it("tells of processes that were killed, and starts them again at their place", async () => {
    for (const name of ["data-node-2", "region-server-1"]) {
      const killed = hbase.process(name);
      killed.kill("SIGKILL");
      await killed.ended;
      assert.equal(isAlive(killed.pid), false);
      assert.deepEqual(ends.splice(0), [{ name, code: null, signal: "SIGKILL", wasAsked: false }]);
      await hbase.restart(name);
      assert.notEqual(hbase.process(name).pid, killed.pid);
      assert.equal(hbase.process(name).isRunning, true);
    }
  });

  it("stops in order, and finds its files when it starts again", async () => {
    const before = hbase;
    await before.stop();
    for (const process of before.processes.values()) {
      // 143 is how a JVM ends that was asked to; one that had to be killed says SIGKILL.
      const { wasAsked, code } = await process.ended;
      assert.deepEqual({ wasAsked, code }, { wasAsked: true, code: 143 }, process.name);
    }
    assert.deepEqual(ends, []);
    hbase = await hbaseOnHdfs.start({ folder });
    assert.equal(hbase.quorum, before.quorum);
    assert.equal((await clusterIds()).size, 1, "it has begun anew");
  });
});
