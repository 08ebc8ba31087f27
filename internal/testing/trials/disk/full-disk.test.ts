import assert from "node:assert/strict";
import { Code } from "../../../base/heddle-error.ts";
import { entryText } from "../load/device-diary.ts";
import type { LoadDevice } from "../load/load-device.ts";
import { TEXT_MARK } from "../load/load-texts.ts";
import { faultsOfAnswers, faultsOfLog } from "../load/log-audit.ts";
import { DISK_MIB, FullDiskTrial } from "./full-disk-trial.ts";
import { SmallDisk } from "./small-disk.ts";

/** How long the program may take to serve again once there is room. */
const SERVES_MS = 10_000;

describe("The program on a full disk", function () {
  this.timeout("3m"); // It takes some 10 s.
  let trial: FullDiskTrial | undefined;
  let disk: SmallDisk | undefined;

  before(async function () {
    try {
      disk = await SmallDisk.make(DISK_MIB);
    } catch (refused) {
      if (process.env.CI === "true") throw refused;
      console.log(`    skipped: ${(refused as Error).message}`);
      this.skip();
    }
  });
  after(async () => {
    await trial?.close();
    await disk?.remove();
  });

  it("refuses sends clearly, serves what it has, loses nothing, and mends itself when there is room", async () => {
    trial = await FullDiskTrial.start(disk as SmallDisk);
    const { ledger, texts, devices } = trial;
    await trial.load();
    await trial.fill();

    // What the disk refuses is said, soon and clearly; nobody's message is given up.
    const { error, tookMs } = await trial.rawSend();
    assert.deepEqual([error?.code, error?.reasonName], [Code.UNAVAILABLE, "STORE_UNAVAILABLE"]);
    assert.equal(error?.committedNever, false);
    assert.ok(tookMs < 2_000, `told after ${tookMs} ms`);
    assert.deepEqual(await trial.admin("readyz"), { status: 503, said: "the message store cannot write" });
    assert.equal((await trial.admin("healthz")).status, 200);
    for (const device of devices) {
      assert.equal(device.client.state.phase, "live");
      assert.ok(device.pending > 0);
    }

    // What it has can be read: by those who are there, and by a device that comes back.
    for (const log of (await trial.logs()).values()) assert.deepEqual(faultsOfLog(log), []);
    await trial.comesBack(devices[2] as LoadDevice);
    assert.equal((await trial.stranger())?.reasonName, "STORE_UNAVAILABLE");

    const freedMs = await trial.free(SERVES_MS);
    assert.deepEqual(await trial.admin("readyz"), { status: 200, said: "ready" });
    const logs = await trial.settle();
    const { acknowledged, duplicates, unknowns, unknownsResolved } = ledger.counts;
    const servesAgainMs = Math.round(freedMs);
    console.log(
      `    ${JSON.stringify({ servesAgainMs, acknowledged, duplicates, unknowns, unknownsResolved })}`,
    );
    assert.ok(freedMs < SERVES_MS);
    for (const log of logs.values()) assert.deepEqual(faultsOfLog(log), []);
    assert.deepEqual(faultsOfAnswers(logs, ledger, texts), []);
    assert.deepEqual(trial.sightings.breaches, []);
    for (const device of devices) {
      assert.deepEqual([device.diary.breaches, device.troubles], [[], []]);
      for (const [threadId, log] of logs) {
        assert.deepEqual(device.diary.entries(threadId), log.entries.map(entryText), device.name);
      }
    }
    assert.ok(unknowns > 0 && unknownsResolved === unknowns);

    assert.deepEqual(storeLines(trial.logLines), {
      message: ["error: store stopped serving", "warn: store serves again"],
      thread: ["error: store stopped serving", "warn: store serves again"],
    });
    assert.ok(trial.logLines.every((line) => !line.includes(TEXT_MARK) && !/eyJ|"stack"/.test(line)));

    await trial.restart();
    const again = await trial.logs();
    for (const [threadId, log] of logs) assert.deepEqual(again.get(threadId)?.bytes, log.bytes);
  });
});

/**
 * What a log says, and it says nothing else, of each store. Whether the last write left half a record, on which the
 * store opens with a remark, is a matter of chance.
 */
function storeLines(lines: readonly string[]): Record<string, string[]> {
  const said: Record<string, string[]> = {};
  for (const line of lines) {
    const { level, store, msg } = JSON.parse(line);
    if (msg === "store opened with a remark") continue;
    said[store] = [...(said[store] ?? []), `${level}: ${msg}`];
  }
  return said;
}
