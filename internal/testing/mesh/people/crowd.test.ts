import assert from "node:assert/strict";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { breachesOf } from "../../sim/judge/checker.ts";
import type { Seen } from "../../sim/judge/history.ts";
import { devTokens } from "../../trials/programs/heddle-process.ts";
import { RealServer } from "../../trials/programs/real-server.ts";
import { Crowd } from "./crowd.ts";

describe("A crowd of real clients", function () {
  this.timeout(120_000);
  const server = new RealServer();

  it("chats with one program, and the judge finds nothing, but what is changed in its history", async () => {
    const seed = testSeed();
    const { grpcUrl, webUrl } = server.addresses;
    const crowd = await Crowd.gather({
      random: new SeededRandom(seed),
      grpcUrl,
      tokensOf: (users) => devTokens(webUrl, users),
      users: 24,
      devices: 30,
      groups: 4,
      directs: 6,
    });
    try {
      crowd.chat(100);
      await crowd.answered(600, 60_000);
      await crowd.calm();
      const breaches = await crowd.breaches();
      assert.deepEqual(breaches, [], `HEDDLE_TEST_SEED=${seed}`);
      assert.ok(crowd.sent >= 600);
      assertFound(crowd.history);
    } finally {
      await crowd.close();
    }
  });
});

/** The judge, shown the same history with one entry removed, doubled, swapped, with other bytes, or seen by a stranger. */
function assertFound(history: readonly Seen[]): void {
  const at = history.findIndex((seen, index) => seen.type === "entry" && index > history.length / 3);
  const changed = history[at];
  assert.ok(changed?.type === "entry");
  const next = history.findIndex(
    (seen, index) =>
      index > at && seen.type === "entry" && seen.device === changed.device && seen.thread === changed.thread,
  );
  const follower = history[next];
  assert.ok(follower?.type === "entry");
  const put = (...lines: Seen[]) => [...history.slice(0, at), ...lines, ...history.slice(at + 1)];
  const stranger = history.find(
    (seen) =>
      seen.type === "begin" &&
      !history.some((one) => one.user === seen.user && one.type === "end" && one.thread === changed.thread),
  );
  assert.ok(stranger);
  const variants: Record<string, Seen[]> = {
    removed: put(),
    doubled: put(changed, changed),
    swapped: put({ ...changed, entry: follower.entry }).with(next, { ...follower, entry: changed.entry }),
    "with other bytes": put({ ...changed, entry: { ...changed.entry, said: "something else" } }),
    "seen by a stranger": put(changed, { ...changed, device: stranger.device, user: stranger.user }),
  };
  for (const [what, variant] of Object.entries(variants))
    assert.notDeepEqual(breachesOf(variant), [], `an entry ${what} is found`);
}
