import "./time/guard.ts";

import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { breachesOf } from "./judge/checker.ts";
import type { Seen } from "./judge/history.ts";
import { historiesOf, linesOf } from "./judge/history-file.ts";
import { MUTANTS } from "./mutants/mutants.ts";
import { type Plan, planOf, type Theme } from "./plan/plan.ts";
import { storyOf } from "./plan/story.ts";
import { REACHING_SEEDS, unreached } from "./reach/branches.ts";
import { shrunk } from "./shrink.ts";
import { simulate } from "./simulate.ts";
import { cpuUs } from "./time/guard.ts";

/**
 * `main.ts FROM-TO [--twice] [--first] [--only REGEX] [--theme THEME] [--brief] [--shrink [--save FILE]] [--mutant NAME]
 * [--history FILE]`; with `--plan FILE` for FROM-TO a plan that was saved; or `main.ts --check FILE`. Exits with 1 on a
 * breach.
 */
const [range = "1-20", ...flags] = process.argv.slice(2);
const flag = (name: string) => (flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined);

if (range === "--check") {
  const histories = historiesOf(readFileSync(flags[0] ?? "", "utf8"));
  const judged = histories.map(({ name, history }) => ({ name, breaches: breachesOf(history) }));
  for (const { name, breaches } of judged)
    console.log([`${name}: ${breaches.length} breaches`, ...breaches].join("\n  "));
  process.exit(judged.some(({ breaches }) => breaches.length > 0) ? 1 : 0);
}

const given = range === "--plan" ? (JSON.parse(readFileSync(flags[0] ?? "", "utf8")) as Plan) : undefined;
const [from = 1, to = from] = (given?.seed ?? range).split("-").map(Number);
const mutant = MUTANTS[flag("--mutant") ?? ""];
const only = new RegExp(flag("--only") ?? "");
const options = { theme: flag("--theme") as Theme | undefined, isBrief: flags.includes("--brief") };
const file = flag("--history");
const bites = new Map<string, number>();
const reached = new Map<string, number>();
/** Enough is played, and as it is meant to be, for every branch to be reached. */
const isWide = to - from + 1 >= REACHING_SEEDS && !mutant && !options.theme && !options.isBrief;
const fingerprint = (history: readonly Seen[]) =>
  createHash("sha256").update(JSON.stringify(history)).digest("hex");
let simulatedMs = 0;
let failed = 0;
const startedUs = cpuUs();
for (let seed = from; seed <= to; seed++) {
  const plan = given ?? planOf(seed, options);
  const outcome = await simulate(plan, mutant);
  simulatedMs += outcome.lengthMs;
  for (const [fault, times] of outcome.bites) bites.set(fault, (bites.get(fault) ?? 0) + times);
  for (const [branch, times] of outcome.reached) reached.set(branch, (reached.get(branch) ?? 0) + times);
  const breaches = outcome.breaches.filter((breach) => only.test(breach));
  if (file) appendFileSync(file, linesOf({ name: `seed ${seed}`, history: outcome.history }));
  if (flags.includes("--twice")) {
    const again = await simulate(plan, mutant);
    simulatedMs += again.lengthMs;
    if (fingerprint(again.history) !== fingerprint(outcome.history))
      breaches.push("the same seed gave another trace");
  }
  if (outcome.bites.size < 3 && !options.isBrief && !given)
    breaches.push(`vacuous: only ${[...outcome.bites.keys()].join(", ")} met something`);
  console.log(
    `seed ${seed}: ${outcome.history.length} notes, ${outcome.steps} steps, a send of ${(outcome.longestSendMs / 1_000).toFixed(1)} s, ${breaches.length} breaches`,
  );
  if (breaches.length === 0) continue;
  failed += 1;
  for (const breach of breaches.slice(0, 12)) console.log(`  ${breach}`);
  if (!flags.includes("--shrink")) {
    if (flags.includes("--first")) break;
    continue;
  }
  const small = await shrunk(plan, mutant);
  console.log(`  shrunk from ${plan.steps.length} steps to ${small.steps.length}:`);
  for (const sentence of storyOf(small)) console.log(`    ${sentence}`);
  for (const breach of (await simulate(small, mutant)).breaches.slice(0, 12)) console.log(`  ${breach}`);
  const saved = flag("--save");
  if (saved) writeFileSync(saved, JSON.stringify(small));
  if (flags.includes("--first")) break;
}
const hours = simulatedMs / 3_600_000;
const minutes = (cpuUs() - startedUs) / 60e6;
console.log(
  `${failed} of ${to - from + 1} seeds failed; ${(hours / minutes).toFixed(2)} simulated hours a CPU minute`,
);
for (const [fault, times] of [...bites].sort()) console.log(`  ${fault}: ${times}`);
console.log("branches of the protocol:");
for (const [branch, times] of [...reached].sort()) console.log(`  ${branch}: ${times}`);
const missing = unreached(reached);
for (const branch of missing) console.log(`  never reached: ${branch}`);
if (missing.length > 0 && isWide) {
  console.log(`vacuous: ${missing.length} branches were not reached`);
  failed += 1;
}
process.exit(failed > 0 ? 1 : 0);
