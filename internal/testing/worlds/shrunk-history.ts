import assert from "node:assert/strict";
import fc from "fast-check";

/**
 * Plays up to `runs` histories with a broken variant: one of them must fail. Prints the shortest that fast-check finds
 * and what it breaks. `stepsOf` is what to print of a history, line by line.
 */
export async function showShrunkHistory<H>(
  property: fc.IAsyncProperty<[H]>,
  runs: number,
  seed: number,
  stepsOf: (history: H) => readonly unknown[],
): Promise<void> {
  const details = await fc.check(property, { numRuns: runs, seed });
  assert.ok(details.failed && details.counterexample, `${runs} histories show nothing (seed ${seed})`);
  const steps = stepsOf(details.counterexample[0]);
  console.log(`      run ${details.numRuns}, shrunk ${details.numShrinks} times to ${steps.length} steps:`);
  for (const step of steps) console.log(`        ${JSON.stringify(step)}`);
  console.log(`      ${(details.errorInstance as Error | undefined)?.message.split("\n")[0]}`);
}
