import assert from "node:assert/strict";
import { fromHex } from "../../internal/base/ids.ts";
import { HeldStorage } from "../../internal/testing/fakes/client/held-storage.ts";
import { FakeClock } from "../../internal/testing/fakes/time/fake-clock.ts";
import { ClientWorld, settled, THREAD, wireRow } from "../../internal/testing/worlds/client/client-world.ts";
import type { Entry } from "../model/model.ts";
import { Keeper } from "./keeper.ts";

const entry = (seq: number): Entry => ({
  ...{ threadId: THREAD, seq, sender: "bob", clientId: "00".repeat(16), baseSeq: 0, ordinal: seq },
  ...{ createdAtMs: 1, body: { kind: "text", text: "hi" } },
});

describe("Keeper", () => {
  let storage: HeldStorage;
  let clock: FakeClock;
  let faults: unknown[];
  let keeper: Keeper;
  beforeEach(() => {
    storage = new HeldStorage();
    clock = new FakeClock();
    faults = [];
    keeper = new Keeper(storage, clock, (fault) => faults.push(fault));
  });

  const kept = async () => [...(await storage.load()).keys()];

  it("writes what a failed write held with the next, so no cursor is kept without the heads before it", async () => {
    storage.isFull = true;
    keeper.mark("thread/a", () => 1);
    await keeper.flush();
    assert.equal(faults.length, 1);
    storage.isFull = false;
    keeper.mark("cursor", () => "01");
    await keeper.flush();
    assert.deepEqual((await kept()).sort(), ["cursor", "thread/a"]);
  });

  it("writes one set after the other: one that waits does not pass one that fails", async () => {
    const release = storage.hold();
    keeper.mark("thread/a", () => 1);
    const first = keeper.flush();
    await settled();
    keeper.mark("cursor", () => "01");
    const second = keeper.flush();
    await settled();
    storage.isFull = true;
    release();
    await first;
    storage.isFull = false;
    await second;
    assert.deepEqual((await kept()).sort(), ["cursor", "thread/a"]);
  });

  it("tries again by itself, with patience, and says each failure", async () => {
    storage.isFull = true;
    keeper.mark("thread/a", () => 1);
    clock.advance(50);
    await settled();
    assert.equal(storage.asked.length, 1);
    for (const waitMs of [1_000, 2_000, 4_000]) {
      keeper.mark("thread/b", () => 2); // what else changes meanwhile hurries nothing
      clock.advance(waitMs - 1);
      await settled();
      const before: number = storage.asked.length;
      clock.advance(1);
      await settled();
      assert.equal(storage.asked.length, before + 1, `after ${waitMs} ms`);
    }
    storage.isFull = false;
    clock.advance(8_000);
    await settled();
    assert.deepEqual(await kept(), ["thread/a", "thread/b"]);
    assert.equal(faults.length, 4);
    keeper.mark("thread/c", () => 3);
    clock.advance(50);
    await settled();
    assert.equal((await kept()).length, 3, "and is as quick as ever once it can");
  });

  it("holds no more for a storage that takes nothing than it keeps on one that does", async () => {
    storage.isFull = true;
    for (let seq = 1; seq <= 12_000; seq++) {
      keeper.keepEntry(entry(seq));
      if (seq % 4_000 === 0) await keeper.flush();
    }
    assert.ok((storage.asked.at(-1)?.length ?? 0) <= 5_000, `${storage.asked.at(-1)?.length} keys`);
    storage.isFull = false;
    await keeper.flush();
    assert.equal((await kept()).length, 5_000);
    for (let seq = 12_001; seq <= 12_010; seq++) keeper.keepEntry(entry(seq));
    await keeper.flush();
    assert.equal((await kept()).length, 5_000, "what was written and let go is removed");
  });

  it("has a client show its threads after a restart, though a write failed while it learnt of them", async () => {
    const world = await new ClientWorld().start(storage);
    storage.isFull = true;
    const opened = { sessionId: new Uint8Array(16), userId: "ann", pingIntervalMs: 15_000 };
    const changed = { threadId: fromHex(THREAD), thread: wireRow(3, 3) };
    world.transport.stream.hear({ case: "opened", value: opened }, { case: "threadChanged", value: changed });
    await settled();
    await world.pass(50);
    assert.ok(world.events.some((event) => event.type === "trouble"));
    storage.isFull = false;
    world.transport.stream.hear({ case: "caughtUp", value: { cursor: new Uint8Array([1]) } });
    await settled();
    await world.pass(50);
    await world.client.close();
    const again = await new ClientWorld().start(storage);
    assert.deepEqual(
      again.client.threads().map(({ threadId }) => threadId),
      [THREAD],
    );
    await again.client.close();
  });
});
