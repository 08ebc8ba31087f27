import assert from "node:assert/strict";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { TouchAges } from "./touch-ages.ts";
import { LOOK_EVERY_MS, TOUCH_COUNTS_MS, TOUCH_RENEWS_MS, TouchLedger } from "./touch-ledger.ts";

const BOTH = ["ann", "bob"];

describe("TouchLedger (docs/design.md, section 6, Touch)", () => {
  it("counts a touch for 45 s, and calls it ageing after 40 s", () => {
    const { clock, ledger, ages } = touched();
    clock.advance(39_999);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_RENEWS_MS), []);
    clock.advance(1);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_RENEWS_MS), BOTH);
    clock.advance(4_999);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), []);
    clock.advance(1);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
  });

  it("counts it from before it was sent, however late it was confirmed", () => {
    const { clock, ledger, ages } = untouched();
    const sentAtMs = ledger.beforeSending();
    clock.advance(30_000);
    ledger.confirmed(ages, BOTH, sentAtMs);
    clock.advance(15_000);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
  });

  it("counts nothing before it is confirmed", () => {
    const { ledger, ages } = untouched();
    ledger.beforeSending();
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
  });

  it("keeps ages per member", () => {
    const { clock, ledger, ages } = touched(["ann"]);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), ["bob"]);
    clock.advance(20_000);
    ledger.confirmed(ages, ["bob"], ledger.beforeSending());
    clock.advance(25_000);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), ["ann"]);
  });

  it("does not let an older touch that is confirmed later make a member look older", () => {
    const { clock, ledger, ages } = untouched();
    const older = ledger.beforeSending();
    clock.advance(30_000);
    ledger.confirmed(ages, BOTH, ledger.beforeSending());
    ledger.confirmed(ages, BOTH, older);
    clock.advance(20_000);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), []);
  });

  for (const jumpMs of [1_001, -1_001]) {
    it(`forgets all touches when the clocks have moved apart by ${jumpMs} ms`, () => {
      const { clock, ledger, ages } = touched();
      clock.advance(1_000);
      const late = ledger.beforeSending();
      clock.jumpWall(jumpMs);
      clock.advance(1);
      assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
      // One that was on its way at the jump does not count either.
      ledger.confirmed(ages, BOTH, late);
      assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
      clock.advance(1);
      ledger.confirmed(ages, BOTH, ledger.beforeSending());
      assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), []);
    });
  }

  it("forgets all touches when the wall clock jumps and is set back before the next use", () => {
    const { clock, ledger, ages } = touched();
    clock.advance(10_000);
    clock.jumpWall(120_000);
    clock.advance(LOOK_EVERY_MS);
    clock.jumpWall(-120_000);
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
    clock.advance(1);
    ledger.confirmed(ages, BOTH, ledger.beforeSending());
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), [], "and goes on");
  });

  it("looks at the clocks with one timer, and only while a touch may count", () => {
    const { clock, ledger, ages } = untouched();
    assert.equal(clock.waiting, 0);
    for (let at = 0; at < 3; at++) ledger.confirmed(ages, BOTH, ledger.beforeSending());
    assert.equal(clock.waiting, 1);
    clock.advance(TOUCH_COUNTS_MS - LOOK_EVERY_MS);
    assert.equal(clock.waiting, 1);
    clock.advance(LOOK_EVERY_MS);
    assert.equal(clock.waiting, 0);
    clock.jumpWall(120_000); // Nobody looks, and nothing counts.
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
    assert.equal(clock.waiting, 1);
  });

  it("bears up to a second of difference, and adds small ones up", () => {
    const { clock, ledger, ages } = touched();
    clock.advance(1_000);
    clock.jumpWall(1_000);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), []);
    clock.jumpWall(1);
    assert.deepEqual(ledger.uncovered(ages, BOTH, TOUCH_COUNTS_MS), BOTH);
  });
});

function untouched() {
  const clock = new FakeClock();
  const ages = new TouchAges();
  return { clock, ledger: new TouchLedger(clock), ages };
}

function touched(members = BOTH) {
  const made = untouched();
  made.ledger.confirmed(made.ages, members, made.ledger.beforeSending());
  return made;
}
