import assert from "node:assert/strict";
import type { SessionReport } from "../../base/presence.ts";
import { PresenceService } from "../../presence/service.ts";
import { solePlace } from "../../presence/sole-place.ts";
import { Visibilities } from "../../presence/visibilities.ts";
import { Deadlines } from "../../stream/deadlines.ts";
import { FakeRing } from "../../testing/fakes/neighbours/fake-ring.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { ManualLoop } from "../../testing/fakes/time/manual-loop.ts";
import { DIGEST_PART, REPORT_AGAIN_MS } from "../limits.ts";
import type { PresenceLink } from "../ports.ts";
import { PresenceLinks } from "./presence-links.ts";
import { PresenceReports } from "./presence-reports.ts";

const SESSIONS = 100_000;

/**
 * A push server of so many sessions, and an instance that has just come into its ring. `way` may refuse a report, or
 * change it.
 */
function world(sessions: number, way: (report: SessionReport) => SessionReport = (report) => report) {
  const clock = new FakeClock();
  const loop = new ManualLoop();
  const ring = new FakeRing([]);
  const reports: SessionReport[] = [];
  const visibilities = new Visibilities({
    readVisibility: async () => "shared",
    setVisibility: async () => {},
  });
  const privacy = { maySee: async () => true };
  const instance = new PresenceService({ clock, place: solePlace("push"), visibilities, privacy });
  const attach = (_: unknown, link: PresenceLink) => {
    const attachment = instance.attach(link);
    const report = async (said: SessionReport) => {
      reports.push(said);
      await attachment.report(way(said));
    };
    return { ...attachment, report };
  };
  const links = new PresenceLinks({
    clock,
    presence: { ring, attach },
    name: "push",
    told: () => {},
    renewed: () => reporter.digest(),
  });
  const reporter = new PresenceReports({ clock, deadlines: new Deadlines(clock), tick: loop.tick, links });
  for (let at = 0; at < sessions; at++) reporter.opened(`s${at}`, `u${at}`);
  ring.set(["presence"]);
  const status = async (userId: string) => (await instance.presencesOf([userId])).get(userId)?.status;
  const turn = async () => {
    loop.turn();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, loop, ring, reports, instance, reporter, status, turn };
}

/** An instance has got a part of a digest, and not the one that names somebody. Throws if it concludes from that. */
async function concludeEarly(way?: (report: SessionReport) => SessionReport): Promise<void> {
  const { clock, turn, status, reports } = world(2 * DIGEST_PART, way);
  clock.advance(15_000); // Long enough for who is named to be shown online.
  await turn();
  assert.equal(reports.length, 1);
  assert.equal(await status(`u${2 * DIGEST_PART - 1}`), "unknown");
  while (reports.length < 3) await turn();
  assert.equal(await status(`u${2 * DIGEST_PART - 1}`), "online");
}

describe("A digest", () => {
  it("of 100,000 sessions goes in parts, of which only the last is whole", async () => {
    const { loop, reports, instance } = world(SESSIONS);
    await loop.settle();
    assert.equal(instance.sessions, SESSIONS);
    for (const { ups } of reports) assert.ok(ups.length <= DIGEST_PART);
    const rings = reports.map(({ ring }) => ring);
    assert.deepEqual([rings.at(-1), rings.filter(Boolean).length], [["presence"], 1]);
  });

  it("lets nothing be concluded before its last part", () => concludeEarly());

  it("would, if a part were taken for the whole", () =>
    assert.rejects(
      concludeEarly((report) => ({ ...report, ring: ["presence"] })),
      assert.AssertionError,
    ));

  it("does not hold up news, which go with its next part", async () => {
    const { turn, reports, reporter } = world(10 * DIGEST_PART);
    await turn();
    reporter.opened("new", "cay");
    reporter.ended("s9999");
    await turn();
    assert.equal(reports.length, 2);
    assert.ok(reports[1]?.ups.some(({ name }) => name === "new"));
    assert.deepEqual(
      reports[1]?.downs.map(({ name }) => name),
      ["s9999"],
    );
  });

  it("begins again when a part of it was not taken, and when the ring has changed", async () => {
    let isAway = false;
    const { clock, loop, turn, ring, reports, instance } = world(3 * DIGEST_PART, (report) => {
      if (isAway) throw new Error("away");
      return report;
    });
    await turn();
    isAway = true;
    await turn();
    isAway = false;
    clock.advance(REPORT_AGAIN_MS);
    await turn();
    ring.set(["other", "presence"]);
    reports.length = 0;
    await loop.settle();
    assert.deepEqual(reports.at(-1)?.ring, ["other", "presence"]);
    assert.equal(reports.filter((report) => report.ring).length, 2); // One to each.
    assert.equal(instance.sessions, 3 * DIGEST_PART);
  });
});
