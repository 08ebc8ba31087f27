import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "main.ts");
const FAILED = join(import.meta.dirname, "failed");

/** Some seconds of CPU each; beside other tests they take longer. */
const LONGEST_MS = 240_000;

/** In a process of its own, since the simulator takes the clock, the random and the timers away from its own. */
function simulated(
  ...values: readonly string[]
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...values]);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += data));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

/** How many breaches were found, and the first of them. */
function verdictOf(text: string): readonly string[] {
  const count = Number(/(\d+) breaches/.exec(text)?.[1]);
  const lines = [...text.matchAll(/^ {2}(\S+: .*)$/gm)].map(([, breach]) => breach ?? "");
  return [String(count), ...lines.slice(0, Math.min(count, 12))];
}

describe("Simulator", () => {
  it("finds no breach, gives the same trace twice for the same seed, and plays no clean seed again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "heddle-sim-"));
    try {
      const asked = ["1", "--brief", "--twice", "--jobs", "2", "--clean", join(folder, "clean")];
      const { code, text } = await simulated(...asked);
      assert.equal(code, 0, text);
      assert.match(text, /^0 of 1 seeds failed/m);
      assert.match((await simulated(...asked)).text, /^0 of 0 seeds failed/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(LONGEST_MS);

  const found: Readonly<Record<string, RegExp>> = {
    "an entry in eight is not published": /5: .* in the calm/,
    "an append in forty is acknowledged and not stored": /[136]: /,
  };
  for (const [mutant, breach] of Object.entries(found)) {
    it(`finds that ${mutant}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "heddle-sim-"));
      try {
        const file = join(folder, "history.jsonl");
        const { code, text } = await simulated("1", "--brief", "--mutant", mutant, "--history", file);
        assert.equal(code, 1, text);
        assert.match(text, breach);
        const judged = await simulated("--check", file);
        assert.equal(judged.code, 1, judged.text);
        assert.deepEqual(verdictOf(judged.text), verdictOf(text), "the file alone says what the run said");
      } finally {
        rmSync(folder, { recursive: true });
      }
    }).timeout(LONGEST_MS);
  }

  for (const plan of readdirSync(FAILED).filter((name) => name.endsWith(".json"))) {
    it(`finds no breach in ${plan}, in which there once was one`, async () => {
      const { code, text } = await simulated("--plan", join(FAILED, plan));
      assert.equal(code, 0, text);
    }).timeout(LONGEST_MS);
  }
});
