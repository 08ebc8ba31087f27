import assert from "node:assert/strict";
import { testSeed } from "../../fakes/time/seeded-random.ts";
import { entryText } from "../load/device-diary.ts";
import { TEXT_MARK } from "../load/load-texts.ts";
import { faultsOfAnswers, faultsOfLog } from "../load/log-audit.ts";
import { KillTrial } from "./kill-trial.ts";

const KILLS = 20;

/**
 * Promises 1 to 6 of docs/design.md over the real program and the real client library. What a kill cannot show is a
 * missing sync: the kernel keeps what a killed process has written. The stores' own tests see to that.
 */
describe("kill -9 under load", function () {
  this.timeout("5m"); // Some 50 s on two cores; mostly the program starting, which others that run make slow.
  let trial: KillTrial | undefined;
  afterEach(() => trial?.close());

  it(`loses and repeats nothing over ${KILLS} kills, and every outcome is known at the end`, async () => {
    const seed = testSeed();
    console.log(`    HEDDLE_TEST_SEED=${seed}`);
    trial = await KillTrial.start(seed);
    const { ledger, devices, texts } = trial;
    trial.load();
    for (let kill = 0; kill < KILLS; kill++) await trial.kill();
    const logs = await trial.settle();

    const entries = [...logs.values()].reduce((sum, log) => sum + log.entries.length, 0);
    const counts = { ...ledger.counts, ...trial.counts, threads: logs.size, entries };
    console.log(`    ${JSON.stringify(counts)}`);
    for (const [threadId, log] of logs) assert.deepEqual(faultsOfLog(log), [], threadId);
    assert.deepEqual(faultsOfAnswers(logs, ledger, texts), []);
    assert.deepEqual(trial.sightings.breaches, []);
    for (const device of devices) {
      assert.deepEqual(device.diary.breaches, []);
      assert.deepEqual(device.troubles, []);
      for (const threadId of trial.threadsOf(device.userId)) {
        const log = (logs.get(threadId)?.entries ?? []).map(entryText);
        assert.deepEqual(device.diary.entries(threadId), log, `${device.name}, ${threadId}`);
      }
    }
    // Without these the run has shown nothing.
    const { inFlightAtKills, duplicates, duplicatesAcrossKills, resolvedAfterKills, sealed } = counts;
    for (const [what, count] of Object.entries({ inFlightAtKills, duplicates, duplicatesAcrossKills })) {
      assert.ok(count > 0, what);
    }
    assert.ok(resolvedAfterKills > 0 && sealed > 0, JSON.stringify(counts));

    // A device that comes later finds the same, and so does everybody after an orderly restart.
    for (const device of await trial.freshDevices()) {
      for (const threadId of trial.threadsOf(device.userId)) {
        const conversation = device.client.conversation(threadId);
        await conversation.open();
        while (conversation.hasOlder) await conversation.older(200);
        const log = (logs.get(threadId)?.entries ?? []).map(entryText);
        assert.deepEqual(conversation.entries.map(entryText), log, `${device.name}, ${threadId}`);
      }
    }
    await trial.restart();
    const again = await trial.logs();
    for (const [threadId, log] of logs) assert.deepEqual(again.get(threadId)?.bytes, log.bytes);
    assert.deepEqual(
      trial.logLines.filter((line) => line.includes(TEXT_MARK) || line.includes("eyJ")),
      [],
    );
    assert.deepEqual(trial.logLines, []);
  });
});
