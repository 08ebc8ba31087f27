import assert from "node:assert/strict";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { SimProcess } from "../testing/worlds/hand-off/hand-off-processes.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { Deadlines } from "./deadlines.ts";

function world() {
  const clock = new FakeClock();
  const process = new SimProcess("push-0", clock);
  const deadlines = new Deadlines(process.clock);
  const told: string[] = [];
  const call = (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    deadlines
      .bound(promise, ms, () => new Error("late"))
      .then(
        (value) => told.push(value),
        (error) => told.push(error.message),
      );
    return () => process.run(() => resolve("answer"));
  };
  return { clock, process, call, told };
}

describe("Deadlines", () => {
  it("give a call up within a quarter second of its time", async () => {
    const { clock, call, told } = world();
    call(300);
    clock.advance(299);
    await quiet();
    assert.deepEqual(told, []);
    clock.advance(251);
    await quiet();
    assert.deepEqual(told, ["late"]);
  });

  it("read what came while the process stood still before they give up", async () => {
    const { clock, process, call, told } = world();
    const answer = call(300);
    process.pause();
    clock.advance(9_000); // Its timers are due before its input.
    answer();
    process.resume();
    await quiet();
    assert.deepEqual(told, ["answer"]);
  });

  it("give up after such a pause all the same, also where each look is late", async () => {
    const { clock, process, call, told } = world();
    call(300);
    for (let at = 0; at < 2; at++) {
      process.pause();
      clock.advance(2_000);
      process.resume();
    }
    await quiet();
    assert.deepEqual(told, ["late"]);
  });
});
