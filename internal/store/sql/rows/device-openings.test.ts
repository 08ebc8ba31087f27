import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "../../../testing/fakes/time/fake-clock.ts";
import { SqliteThreadStore } from "../../sqlite/sqlite-thread-store.ts";
import { DeviceOpenings, type Opening } from "./device-openings.ts";

describe("Openings of known devices", () => {
  it("are written once a second, the newest of each device", () => {
    const clock = new FakeClock();
    const written: (readonly Opening[])[] = [];
    const openings = new DeviceOpenings(clock, async (all) => void written.push(all));
    openings.note("ann", "phone");
    clock.advance(400);
    openings.note("ann", "phone");
    openings.note("bob", "phone");
    assert.equal(openings.ageMs("ann", "phone"), 0);
    clock.advance(599);
    assert.equal(openings.ageMs("ann", "phone"), 599);
    assert.deepEqual(written, []);
    clock.advance(1);
    const both = ["ann", "bob"].map((ownerId) => ({ ownerId, deviceId: "phone", ageMs: 600 }));
    assert.deepEqual(written, [both]);
    assert.equal(openings.ageMs("ann", "phone"), undefined);
    clock.advance(10_000);
    assert.equal(written.length, 1);
  });

  it("are written at once when many wait", () => {
    let written = 0;
    const openings = new DeviceOpenings(new FakeClock(), async (all) => {
      written += all.length;
    });
    for (let user = 0; user < 10_001; user++) openings.note(`u${user}`, "phone");
    assert.equal(written, 10_000);
  });

  it("show in the list at once, in its order, and outlive the store", async () => {
    const folder = await mkdtemp(join(tmpdir(), "heddle-openings-"));
    const clock = new FakeClock();
    const open = () => new SqliteThreadStore({ path: join(folder, "threads.db"), clock });
    let store = open();
    const seen = async () =>
      (await store.listDevices("ann")).map(({ deviceId, lastOpenedAtMs }) => [deviceId, lastOpenedAtMs]);
    try {
      await store.openDevice("ann", "phone");
      clock.jumpWall(10);
      await store.openDevice("ann", "laptop");
      clock.jumpWall(10);
      await store.openDevice("ann", "phone");
      const newestFirst = [
        ["phone", clock.nowMs()],
        ["laptop", clock.nowMs() - 10],
      ];
      assert.deepEqual(await seen(), newestFirst);
      await store.close();
      store = open();
      assert.deepEqual(await seen(), newestFirst);
    } finally {
      await store.close();
      await rm(folder, { recursive: true });
    }
  });
});
