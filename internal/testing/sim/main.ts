import "./time/guard.ts";

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { breachesOf } from "./judge/checker.ts";
import { historiesOf } from "./judge/history-file.ts";
import type { Plan, Theme } from "./plan/plan.ts";
import { CleanSeeds, stateOf } from "./run/clean-seeds.ts";
import { playedByJobs, workFor } from "./run/jobs.ts";
import { type Manner, type Played, played } from "./run/played.ts";
import { Tally } from "./run/tally.ts";

/**
 * `main.ts FROM-TO [--twice] [--first] [--only REGEX] [--theme THEME] [--brief] [--shrink [--save FILE]] [--mutant NAME]
 * [--history FILE] [--jobs N] [--clean FILE]`; with `--plan FILE` for FROM-TO a plan that was saved; or `main.ts --check
 * FILE`. Exits with 1 on a breach.
 */
const [range = "1-20", ...flags] = process.argv.slice(2);
const flag = (name: string) => (flags.includes(name) ? flags[flags.indexOf(name) + 1] : undefined);

if (range === "--check") check(flags[0] ?? "");
else if (range === "--worker") workFor(({ seed, manner }) => played(seed, manner));
else await play();

function check(file: string): never {
  const histories = historiesOf(readFileSync(file, "utf8"));
  const judged = histories.map(({ name, history }) => ({ name, breaches: breachesOf(history) }));
  for (const { name, breaches } of judged)
    console.log([`${name}: ${breaches.length} breaches`, ...breaches].join("\n  "));
  process.exit(judged.some(({ breaches }) => breaches.length > 0) ? 1 : 0);
}

async function play(): Promise<never> {
  const manner: Manner = {
    theme: flag("--theme") as Theme | undefined,
    isBrief: flags.includes("--brief"),
    mutant: flag("--mutant"),
    only: flag("--only") ?? "",
    isTwice: flags.includes("--twice"),
    isShrunk: flags.includes("--shrink"),
    save: flag("--save"),
    history: flag("--history"),
  };
  const given = range === "--plan" ? (JSON.parse(readFileSync(flags[0] ?? "", "utf8")) as Plan) : undefined;
  const cleanFile = flag("--clean");
  const clean = cleanFile === undefined ? undefined : new CleanSeeds(cleanFile, await stateOf(manner));
  const seeds = seedsOf(given?.seed ?? range).filter((seed) => !clean?.has(seed));
  const jobs = Number(flag("--jobs") ?? 1);
  const main = fileURLToPath(import.meta.url);
  const tally = new Tally();
  const all = jobs > 1 && !given ? playedByJobs(main, jobs, seeds, manner) : playedHere(seeds, manner, given);
  for await (const one of all) {
    tally.add(one);
    for (const line of one.lines) console.log(line);
    if (one.isClean) clean?.note(one.seed);
    else if (flags.includes("--first")) break;
  }
  for (const line of tally.lines()) console.log(line);
  const { theme, isBrief, mutant } = manner;
  const isVacuous = tally.unreached.length > 0 && tally.isWide && !theme && !isBrief && !mutant;
  if (isVacuous) console.log(`vacuous: ${tally.unreached.length} branches were not reached`);
  process.exit(tally.hasFailed || isVacuous ? 1 : 0);
}

function seedsOf(asked: string): readonly number[] {
  const [from = 1, to = from] = asked.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

async function* playedHere(
  seeds: readonly number[],
  manner: Manner,
  plan: Plan | undefined,
): AsyncGenerator<Played> {
  for (const seed of seeds) yield await played(seed, manner, plan);
}
