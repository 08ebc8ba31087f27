import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { HAND_OFF_MUTANTS } from "./hand-off-mutants.ts";
import { OTHER_HISTORIES } from "./other-histories.ts";
import { SHORTEST_HISTORIES } from "./shortest-histories.ts";

interface Played {
  readonly mutant: string;
  /** With the mutant, and without. */
  readonly breaches: readonly string[];
  readonly whole: readonly string[];
}

describe("Shortest histories of broken variants", function () {
  this.timeout(240_000); // Some seconds of CPU for all; beside other tests they take longer.
  const played = new Map<string, Played>();

  /** In a process of its own, since the simulator takes the clock, the random and the timers away from its own. */
  before(async () => {
    const program = join(import.meta.dirname, "play-shortest.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--disable-warning=ExperimentalWarning",
      program,
    ]);
    for (const line of stdout.trim().split("\n")) {
      const one = JSON.parse(line) as Played;
      played.set(one.mutant, one);
    }
  });

  it("are there for every mutant of the hand-off", () => {
    const missing = Object.keys(HAND_OFF_MUTANTS).filter((mutant) => !(mutant in SHORTEST_HISTORIES));
    assert.deepEqual(missing, []);
  });

  const shows = (mutant: string, breach: RegExp) => {
    const { breaches, whole } = played.get(mutant) ?? assert.fail();
    assert.match(breaches.join("\n"), breach);
    assert.deepEqual(whole, [], "and without it there is none");
  };

  for (const mutant of Object.keys(SHORTEST_HISTORIES)) {
    it(`leave a hole when ${mutant}`, () => shows(mutant, /^5: .* in the calm/m));
  }

  for (const [mutant, { breach }] of Object.entries(OTHER_HISTORIES)) {
    it(`show that ${mutant}`, () => shows(mutant, breach));
  }
});
