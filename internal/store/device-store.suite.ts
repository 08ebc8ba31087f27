import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type DeviceStore, MAX_DEVICES } from "./thread-store.ts";

/** The clock of a store under test, moved by hand. */
export interface StoreClock {
  nowMs(): number;
  jumpWall(ms: number): void | Promise<void>;
}

type Current = () => {
  readonly store: DeviceStore;
  readonly clock: StoreClock;
  /** Resolves once what nobody waits for is in the rows, for all programs on them. */
  settle(): Promise<unknown>;
};

/** What every DeviceStore must do: the part of threadStoreSuite that is about devices. */
export function deviceStoreTests(current: Current): void {
  it("notes devices, lists the most recently opened first", async () => {
    const { store, clock, settle } = current();
    const user = freshUser();
    const madeAt = clock.nowMs();
    assert.equal(await store.openDevice(user, "phone"), "open");
    await clock.jumpWall(10);
    assert.equal(await store.openDevice(user, "laptop"), "open");
    await clock.jumpWall(10);
    assert.equal(await store.openDevice(user, "phone"), "open");
    await settle();
    assert.deepEqual(await store.listDevices(user), [
      { deviceId: "phone", createdAtMs: madeAt, lastOpenedAtMs: clock.nowMs() },
      { deviceId: "laptop", createdAtMs: madeAt + 10, lastOpenedAtMs: madeAt + 10 },
    ]);
    assert.deepEqual(await store.listDevices(freshUser()), []);
  });

  it("refuses a revoked device for ever, that user's alone", async () => {
    const { store } = current();
    const [user, other] = [freshUser(), freshUser()];
    await store.openDevice(user, "phone");
    await store.openDevice(other, "phone");
    assert.equal(await store.revokeDevice(user, "phone"), true);
    assert.equal(await store.revokeDevice(user, "phone"), true);
    assert.equal(await store.openDevice(user, "phone"), "revoked");
    assert.deepEqual(await store.listDevices(user), []);
    await store.openDevice(user, "tablet");
    assert.deepEqual(await store.revokedDevices(user, ["tablet", "phone", "unknown"]), ["phone"]);
    assert.deepEqual(await store.revokedDevices(other, ["phone"]), []);
    assert.equal(await store.openDevice(other, "phone"), "open");
    assert.equal(await store.revokeDevice(user, "unknown"), false);
  });

  it(`lets a user have ${MAX_DEVICES} devices at a time`, async () => {
    const { store } = current();
    const user = freshUser();
    const names = Array.from({ length: MAX_DEVICES + 3 }, (_, at) => `d${at}`);
    const outcomes = await Promise.all(names.map((device) => store.openDevice(user, device)));
    assert.equal(outcomes.filter((outcome) => outcome === "open").length, MAX_DEVICES);
    assert.equal(outcomes.filter((outcome) => outcome === "full").length, 3);
    const [kept] = await store.listDevices(user);
    assert.ok(kept);
    assert.equal(await store.openDevice(user, kept.deviceId), "open");
    await store.revokeDevice(user, kept.deviceId);
    assert.equal(await store.openDevice(user, "one-more"), "open");
  });

  it("lets the longest unused device without a stream make room, which may come again", async () => {
    const { store, clock, settle } = current();
    const user = await fullUser(store, clock);
    const has = async (device: string) =>
      (await store.listDevices(user)).some(({ deviceId }) => deviceId === device);
    await clock.jumpWall(1);
    store.noteUse(user, "d1");
    await settle();
    assert.equal(await store.openDevice(user, "new", ["d0", "d2"]), "open");
    assert.deepEqual(
      [await has("new"), await has("d0"), await has("d1"), await has("d3")],
      [true, true, true, false],
    );
    assert.equal((await store.listDevices(user)).length, MAX_DEVICES);
    assert.deepEqual(await store.revokedDevices(user, ["d3"]), []);
    assert.equal(await store.openDevice(user, "d3", []), "open");
    const all = (await store.listDevices(user)).map(({ deviceId }) => deviceId);
    assert.equal(await store.openDevice(user, "newer", all), "full");
  });
}

/** A user with as many devices as one may have, d0 the longest unused. */
async function fullUser(store: DeviceStore, clock: StoreClock): Promise<string> {
  const user = freshUser();
  for (let at = 0; at < MAX_DEVICES; at++) {
    await clock.jumpWall(1);
    await store.openDevice(user, `d${at}`);
  }
  return user;
}

function freshUser(): string {
  return `u${randomBytes(6).toString("hex")}`;
}
