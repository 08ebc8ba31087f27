import assert from "node:assert/strict";
import { dayName, isSameDay, shortTime } from "./times.ts";

const at = (text: string) => new Date(text).getTime();
const now = at("2026-11-23T15:00:00");

describe("Times on the page", () => {
  it("name days by the calendar, not by 24 hours", () => {
    assert.equal(dayName(at("2026-11-23T00:00:00"), now), "Today");
    assert.equal(dayName(at("2026-11-22T23:59:59"), now), "Yesterday");
    assert.equal(dayName(at("2026-11-17T23:00:00"), now), "Tuesday");
    assert.equal(dayName(at("2026-11-16T23:00:00"), now), "Monday, November 16");
    assert.equal(dayName(at("2025-11-23T15:00:00"), now), "November 23, 2025");
  });

  it("do not call a moment ahead of this clock by the name of a past day", () => {
    assert.equal(dayName(at("2026-11-24T00:30:00"), now), "Tuesday, November 24");
  });

  it("are short in the list", () => {
    assert.match(shortTime(at("2026-11-23T09:05:00"), now), /^0?9[:.]05( AM)?$/);
    assert.equal(shortTime(at("2026-11-22T09:05:00"), now), "Yesterday");
    for (const day of ["2026-11-23", "2026-11-19", "2026-03-03", "2021-12-12"]) {
      assert.ok(shortTime(at(`${day}T12:00:00`), now).length <= 10, day);
    }
  });

  it("know that a day ends at local midnight, also when the clocks are put back", () => {
    assert.ok(isSameDay(at("2026-10-25T00:30:00"), at("2026-10-25T23:30:00")));
    assert.ok(!isSameDay(at("2026-10-25T23:59:59"), at("2026-10-26T00:00:00")));
  });
});
