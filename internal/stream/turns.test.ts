import assert from "node:assert/strict";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { SimProcess } from "../testing/worlds/hand-off/hand-off-processes.ts";
import { afterTurns } from "./turns.ts";

function world() {
  const clock = new FakeClock();
  const process = new SimProcess("message-0", clock);
  const told: string[] = [];
  const cancel = afterTurns(process.clock, 250, () => told.push("late"));
  const answer = () =>
    process.run(() => {
      told.push("answer");
      cancel();
    });
  return { clock, process, told, cancel, answer };
}

describe("A wait in turns", () => {
  it("ends when its time has passed, and not before", () => {
    const { clock, told } = world();
    clock.advance(249);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, ["late"]);
    clock.advance(10_000);
    assert.deepEqual([told, clock.waiting], [["late"], 0]);
  });

  it("ends with its cancellation at any turn", () => {
    for (const afterMs of [0, 60, 249]) {
      const { clock, told, cancel } = world();
      clock.advance(afterMs);
      cancel();
      clock.advance(10_000);
      assert.deepEqual([told, clock.waiting], [[], 0]);
    }
  });

  for (const pausedMs of [250, 9_000]) {
    it(`reads what came in a pause of ${pausedMs} ms before it gives up`, () => {
      const { clock, process, told, answer } = world();
      process.pause();
      clock.advance(pausedMs); // Its timers are due before its input.
      answer();
      process.resume();
      clock.advance(10_000);
      assert.deepEqual(told, ["answer"]);
    });
  }

  it("gives up soon after a pause in which nothing came", () => {
    const { clock, process, told } = world();
    process.pause();
    clock.advance(9_000);
    process.resume();
    clock.advance(200);
    assert.deepEqual(told, ["late"]);
  });
});
