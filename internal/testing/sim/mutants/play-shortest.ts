import "../time/guard.ts";

import type { Plan } from "../plan/plan.ts";
import { simulate } from "../simulate.ts";
import { MUTANTS } from "./mutants.ts";
import { OTHER_HISTORIES } from "./other-histories.ts";
import { SHORTEST_HISTORIES } from "./shortest-histories.ts";

/** Plays each of the short histories with its mutant and without: a line of JSON for each mutant. */
const others = Object.entries(OTHER_HISTORIES).map(([mutant, { plan }]) => [mutant, plan] as const);
const whole = new Map<Plan, readonly string[]>();
for (const [mutant, plan] of [...Object.entries(SHORTEST_HISTORIES), ...others]) {
  const broken = MUTANTS[mutant];
  if (!broken) throw new Error(`no mutant says that ${mutant}`);
  if (!whole.has(plan)) whole.set(plan, (await simulate(plan)).breaches);
  const { breaches } = await simulate(plan, broken);
  console.log(JSON.stringify({ mutant, breaches, whole: whole.get(plan) }));
}
