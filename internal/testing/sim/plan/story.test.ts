import assert from "node:assert/strict";
import type { Plan, PlanStep } from "./plan.ts";
import { storyOf } from "./story.ts";

const STEPS: readonly (readonly [PlanStep, string])[] = [
  [{ atMs: 0, what: "write", device: 0, thread: 0, text: "hello" }, 'u3-0 writes "hello" to u7'],
  [{ atMs: 0, what: "read", device: 1, thread: 1 }, "u7-1 reads all of group 1"],
  [{ atMs: 0, what: "block", device: 0, peer: 7 }, "u3-0 blocks u7"],
  [{ atMs: 0, what: "change", change: "add", device: 0, thread: 1, peer: 7 }, "u3-0 adds u7, group 1"],
  [{ atMs: 0, what: "cut", device: 1, forMs: 0 }, "the connection of u7-1 breaks"],
  [{ atMs: 0, what: "visit", process: "channel-4", forMs: 500 }, "channel-4 joins, and leaves after 0.5 s"],
  [
    { atMs: 0, what: "apart", process: "push-0", other: "channel-0", forMs: 2_000 },
    "push-0 and channel-0 do not reach one another for 2.0 s",
  ],
  [{ atMs: 0, what: "slow rows", forMs: 1_000 }, "the rows are slow for 1.0 s"],
  [{ atMs: 0, what: "logs away", forMs: 1_000 }, "the logs are away for 1.0 s"],
];

describe("The story of a plan", () => {
  it("says who there is, and each step in words", () => {
    const plan: Plan = {
      seed: "1",
      users: 8,
      devices: [3, 7],
      threads: [
        [3, 7],
        [3, 7, 5],
      ],
      processes: ["channel-0", "push-0"],
      theme: "all",
      calms: [37_000],
      steps: STEPS.map(([step], at) => ({ ...step, atMs: 1_500 * at })),
    };
    assert.deepEqual(storyOf(plan), [
      "there are channel-0, push-0; seed 1",
      ...STEPS.map(([, sentence], at) => `${(1.5 * at).toFixed(1)} s: ${sentence}`),
      "calm at 37.0 s",
    ]);
  });
});
