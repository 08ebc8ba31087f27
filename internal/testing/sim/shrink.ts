import type { Mutant } from "./mutants/mutant.ts";
import type { Plan } from "./plan/plan.ts";
import { simulate } from "./simulate.ts";

/** Runs that a shrink may take: about five minutes. */
const MOST_RUNS = 80;

/** A plan of fewer steps that still breaks a promise of the same number: halves, then quarters, and so on are left out. */
export async function shrunk(plan: Plan, mutant: Mutant | undefined): Promise<Plan> {
  const kindOf = (breach: string | undefined) => breach?.split(":")[0];
  const kind = kindOf((await simulate(plan, mutant)).breaches[0]);
  let best = plan;
  let runs = 0;
  for (
    let size = Math.ceil(plan.steps.length / 2);
    size >= 1 && runs < MOST_RUNS;
    size = Math.floor(size / 2)
  ) {
    for (let at = 0; at < best.steps.length && runs < MOST_RUNS; runs++) {
      const less = { ...best, steps: [...best.steps.slice(0, at), ...best.steps.slice(at + size)] };
      const { breaches } = await simulate(less, mutant);
      if (breaches.some((breach) => kindOf(breach) === kind)) best = less;
      else at += size;
    }
  }
  return best;
}
