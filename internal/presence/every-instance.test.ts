import assert from "node:assert/strict";
import { ErrorReason, HeddleError } from "../base/heddle-error.ts";
import type { Member, Ring } from "../base/ring.ts";
import { FakeRing } from "../testing/fakes/neighbours/fake-ring.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { EveryInstance } from "./every-instance.ts";
import { CONFIRM_AGAIN_MS, CONFIRM_MS, ERRANDS } from "./limits.ts";

/** Instances of which each confirms, or not, as a test says. */
function world(names: readonly string[] | undefined, ringOf: (ring: FakeRing) => Ring = (ring) => ring) {
  const clock = new FakeClock();
  const ring = new FakeRing(names);
  const told: string[] = [];
  /** Instances that cannot be reached, and those that do not answer. */
  const away = new Set<string>();
  const silent = new Set<string>();
  const instance = ({ name }: Member) => {
    const tell = async (what: string) => {
      if (away.has(name)) throw new Error("no route");
      told.push(`${name}: ${what}`);
      if (silent.has(name)) await new Promise(() => {});
    };
    return {
      blockChanged: (a: string, b: string) => tell(`${a} ${b}`),
      membersChanged: (userIds: readonly string[]) => tell(userIds.join(" ")),
      visibilityChanged: (userId: string, hides: boolean) => tell(`${userId} ${hides}`),
    };
  };
  const every = new EveryInstance({ clock, registered: ringOf(ring), instance });
  const ends: string[] = [];
  const block = () => {
    const end = (error?: unknown) =>
      ends.push(error instanceof HeddleError ? ErrorReason[error.reason] : String(error));
    every.blockChanged("ann", "bob").then(() => ends.push("confirmed"), end);
  };
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += CONFIRM_AGAIN_MS) {
      clock.advance(Math.min(CONFIRM_AGAIN_MS, ms - passed));
      await quiet();
    }
  };
  return { clock, ring, told, away, silent, every, ends, block, pass };
}

describe("A change told to every presence instance", () => {
  it("is confirmed when all have, and not before", async () => {
    const { block, silent, told, ends, away, pass } = world(["a", "b"]);
    away.add("b");
    block();
    await pass(1_000);
    assert.deepEqual([told, ends], [["a: ann bob"], []]);
    away.clear();
    await pass(CONFIRM_AGAIN_MS);
    assert.deepEqual([told, ends], [["a: ann bob", "b: ann bob"], ["confirmed"]]);
    silent.add("a");
    block();
    await pass(1_000);
    assert.deepEqual(ends, ["confirmed"]);
  });

  it("is confirmed without one that is known to be gone, and not without its next incarnation", async () => {
    const { block, ring, ends, silent, pass } = world(["a", "b"]);
    silent.add("b");
    block();
    await pass(1_000);
    ring.remove("b");
    await quiet();
    assert.deepEqual(ends, ["confirmed"]);
    block();
    ring.add("b");
    await pass(1_000);
    assert.deepEqual(ends, ["confirmed"]);
  });

  it("is refused after 5 s, and told on until it is confirmed", async () => {
    const { block, away, told, ends, every, pass } = world(["a", "b"]);
    away.add("b");
    block();
    await pass(CONFIRM_MS - 500);
    assert.deepEqual(ends, []);
    await pass(500);
    assert.deepEqual(ends, ["PEER_UNAVAILABLE"]);
    assert.equal(every.waiting, 1);
    await pass(60_000);
    away.clear();
    await pass(CONFIRM_AGAIN_MS);
    assert.deepEqual([told.at(-1), every.waiting], ["b: ann bob", 0]);
  });

  it("is told to an instance of which only the registry had heard", async () => {
    const listing = (ring: FakeRing): Ring => ({
      view: () => ring.view(),
      onChange: (callback) => ring.onChange(callback),
      listAgain: async () => {
        ring.set(["a", "new"]);
        return true;
      },
    });
    const { block, told, ends } = world(["a"], listing);
    block();
    await quiet();
    assert.deepEqual([told, ends], [["a: ann bob", "new: ann bob"], ["confirmed"]]);
  });

  it("is not confirmed before the ring is as new as it, which a registry that is away cannot make newer", async () => {
    let answer = (_: boolean) => {};
    const { block, ends } = world(["a"], (ring) => ({
      view: () => ring.view(),
      onChange: (callback) => ring.onChange(callback),
      listAgain: () => new Promise((resolve) => (answer = resolve)),
    }));
    block();
    await quiet();
    assert.deepEqual(ends, []);
    answer(false);
    await quiet();
    assert.deepEqual(ends, ["confirmed"]);
  });

  it("is not confirmed while the instances are not loaded, which is not the same as none", async () => {
    const unloaded = world(undefined);
    unloaded.block();
    await unloaded.pass(CONFIRM_MS);
    assert.deepEqual(unloaded.ends, ["PEER_UNAVAILABLE"]);
    unloaded.ring.set(["a"]);
    await quiet();
    assert.deepEqual([unloaded.told, unloaded.every.waiting], [["a: ann bob"], 0]);
    const none = world([]);
    none.block();
    await quiet();
    assert.deepEqual(none.ends, ["confirmed"]);
  });

  it("waits among so many others at most, of which the oldest is given up", async () => {
    const { block, away, ends, every } = world(["a"]);
    away.add("a");
    for (let at = 0; at <= ERRANDS; at++) block();
    await quiet();
    assert.deepEqual([every.waiting, ends], [ERRANDS, ["PEER_UNAVAILABLE"]]);
    every.close();
    await quiet();
    assert.deepEqual([every.waiting, ends.length], [0, ERRANDS + 1]);
  });
});
