import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isListening } from "../until.ts";
import type { RunningHBase } from "./running-hbase.ts";
import { standaloneHBase } from "./standalone.ts";

/** On an idle machine of two cores a start takes 7 s; this leaves room for others, and for the installation. */
const START_MS = 10 * 60_000;

describe("HBase in one process", function () {
  this.timeout(START_MS);
  let folder: string;
  let hbase: RunningHBase | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-standalone-"));
  });

  afterEach(async () => {
    await hbase?.stop();
    await rm(folder, { recursive: true });
  });

  it("serves, stops, and finds its files when it starts again", async () => {
    hbase = await standaloneHBase.start({ folder });
    const { quorum } = hbase;
    assert.equal(await isListening(Number(quorum.split(":")[1])), true);
    await hbase.stop();
    assert.equal(hbase.process("hbase").isRunning, false);
    hbase = await standaloneHBase.start({ folder });
    assert.equal(hbase.quorum, quorum);
    const said = await readFile(hbase.process("hbase").log, "utf8");
    const clusters = new Set([...said.matchAll(/ClusterId : (\S+)/g)].map(([, id]) => id));
    assert.equal(clusters.size, 1, "it has begun anew");
  });
});
