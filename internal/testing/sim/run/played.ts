import { createHash } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import type { Seen } from "../judge/history.ts";
import { linesOf } from "../judge/history-file.ts";
import { MUTANTS } from "../mutants/mutants.ts";
import { type Plan, planOf, type Theme } from "../plan/plan.ts";
import { storyOf } from "../plan/story.ts";
import { shrunk } from "../shrink.ts";
import { simulate } from "../simulate.ts";
import { cpuUs } from "../time/guard.ts";

/** Breaches of a seed that are printed. */
const SHOWN = 12;

/** How seeds are played, as the command says it. */
export interface Manner {
  readonly theme: Theme | undefined;
  readonly isBrief: boolean;
  /** Of MUTANTS; none where nothing is broken on purpose. */
  readonly mutant: string | undefined;
  /** A regular expression: only breaches that match it count. */
  readonly only: string;
  readonly isTwice: boolean;
  readonly isShrunk: boolean;
  /** Where the smallest plan is kept. */
  readonly save: string | undefined;
  /** Where what clients saw is written. */
  readonly history: string | undefined;
}

/** What came of one seed. */
export interface Played {
  readonly seed: number;
  readonly isClean: boolean;
  /** The lines that tell of it. */
  readonly lines: readonly string[];
  readonly bites: readonly (readonly [fault: string, times: number])[];
  readonly reached: readonly (readonly [branch: string, times: number])[];
  readonly simulatedMs: number;
  readonly cpuUs: number;
}

/** Plays a seed, or a plan that was given for it, and judges it. */
export async function played(seed: number, manner: Manner, given?: Plan): Promise<Played> {
  const startedUs = cpuUs();
  const mutant = MUTANTS[manner.mutant ?? ""];
  const plan = given ?? planOf(seed, manner);
  const outcome = await simulate(plan, mutant);
  let simulatedMs = outcome.lengthMs;
  const breaches = outcome.breaches.filter((breach) => new RegExp(manner.only).test(breach));
  if (manner.history)
    appendFileSync(manner.history, linesOf({ name: `seed ${seed}`, history: outcome.history }));
  if (manner.isTwice) {
    const again = await simulate(plan, mutant);
    simulatedMs += again.lengthMs;
    if (fingerprint(again.history) !== fingerprint(outcome.history))
      breaches.push("the same seed gave another trace");
  }
  if (outcome.bites.size < 3 && !manner.isBrief && !given)
    breaches.push(`vacuous: only ${[...outcome.bites.keys()].join(", ")} met something`);
  const figures = `${outcome.history.length} notes, ${outcome.steps} steps, a send of ${(outcome.longestSendMs / 1_000).toFixed(1)} s`;
  const lines = [`seed ${seed}: ${figures}, ${breaches.length} breaches`];
  lines.push(...breaches.slice(0, SHOWN).map((breach) => `  ${breach}`));
  if (breaches.length > 0 && manner.isShrunk) {
    const small = await shrunk(plan, mutant);
    lines.push(`  shrunk from ${plan.steps.length} steps to ${small.steps.length}:`);
    lines.push(...storyOf(small).map((sentence) => `    ${sentence}`));
    const left = await simulate(small, mutant);
    lines.push(...left.breaches.slice(0, SHOWN).map((breach) => `  ${breach}`));
    if (manner.save) writeFileSync(manner.save, JSON.stringify(small));
  }
  const counts = { bites: [...outcome.bites], reached: [...outcome.reached] };
  return { seed, isClean: breaches.length === 0, lines, ...counts, simulatedMs, cpuUs: cpuUs() - startedUs };
}

function fingerprint(history: readonly Seen[]): string {
  return createHash("sha256").update(JSON.stringify(history)).digest("hex");
}
