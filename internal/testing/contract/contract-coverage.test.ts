import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { EntryCellSchema } from "../../gen/heddle/message/v1/entry_pb.js";
import { decodeCell } from "../../message/cells/entry-cell.ts";
import { LevelMessageStore } from "../../store/level/level-message-store.ts";
import { byCalls } from "./contract-coverage/by-calls.ts";
import { Coverage } from "./contract-coverage/coverage.ts";
import { groupsAndBlocks } from "./contract-coverage/groups-and-blocks.ts";
import { onConnect } from "./contract-coverage/on-connect.ts";
import { onTheWeb } from "./contract-coverage/on-the-web.ts";
import { presenceAndTyping } from "./contract-coverage/presence-and-typing.ts";
import { RecordedHeddle, SERVICES } from "./contract-coverage/recorded-heddle.ts";
import { underStress } from "./contract-coverage/under-stress.ts";

describe("The contract, every part of it in use over the real listeners", function () {
  this.timeout("40s");
  const coverage = new Coverage();
  let recorded: RecordedHeddle;
  const world = () => recorded;

  before(async () => {
    recorded = await RecordedHeddle.start(coverage);
    await recorded.signIn(["ann", "bob", "cleo", "dan", "eve", "fred", "gina", "hal", "ivo"]);
  });
  after(async () => {
    await recorded?.heddle.close();
    await recorded?.remove();
  });

  onConnect(world);
  byCalls(world);
  onTheWeb(world);
  presenceAndTyping(world);
  const group = { threadId: new Uint8Array(16), largeThreadId: new Uint8Array(16) };
  groupsAndBlocks(world, group);
  underStress(world); // Stops it.

  it("has cells in the store with every field", async () => {
    const path = join(recorded.dataDir, "messages");
    const store = await LevelMessageStore.open({ path, clock: systemClock });
    const read = async (threadId: Uint8Array) => {
      const range = { fromSeq: 1, toSeq: 512 };
      return (await store.get({ threadId, bucket: 0 }, { entries: range })).entries;
    };
    const direct = await read(directThreadId("cleo", "dan"));
    const groups = [...(await read(group.threadId)), ...(await read(group.largeThreadId))];
    await store.close();
    assert.deepEqual([direct.length, groups.length], [4, 10]);
    for (const { value } of [...direct, ...groups])
      coverage.note("stored", EntryCellSchema, decodeCell(value));
    assert.deepEqual(coverage.missingIn("stored", EntryCellSchema), []);
  });

  it("has no message, field, arm or enum value that nothing sets", () => {
    // For a door that is to come: a client must not take its absence for an error.
    const later = ["response heddle.gateway.v1.OpenSessionResponse.ws_url"];
    // Only a log that broke on the disk sets these: trials/damage/damaged-thread.test.ts breaks one, and asserts them.
    const ofDamage = [
      "response heddle.message.v1.CompareHeldResponse.Compared.is_damaged",
      "response heddle.thread.v1.Thread.is_damaged",
    ];
    assert.deepEqual(coverage.missingOf(SERVICES), [...later, ...ofDamage]);
  });
});
