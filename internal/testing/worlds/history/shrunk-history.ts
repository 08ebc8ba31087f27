import assert from "node:assert/strict";
import fc from "fast-check";
import { type HistoryFile, keepHistory } from "./history-file.ts";

/** Histories to play: where, how many, and how one of them is written down. */
export interface Histories<H> {
  readonly world: string;
  readonly runs: number;
  readonly seed: number;
  readonly bucketSize: number;
  readonly stepsOf: (history: H) => HistoryFile["steps"];
}

/**
 * Plays histories, none of which may fail. The shortest that does is kept as a file beside this one (history-file.ts):
 * commit it with the mend, and it is played again in every run.
 */
export async function assertHistories<H>(property: fc.IAsyncProperty<[H]>, of: Histories<H>): Promise<void> {
  const { runs, seed, world, bucketSize, stepsOf } = of;
  const details = await fc.check(property, { numRuns: runs, seed });
  if (!details.failed) return;
  const [history] = details.counterexample ?? [];
  if (history === undefined) throw details.errorInstance;
  const steps = stepsOf(history);
  const path = await keepHistory({ world, bucketSize, steps }, `${world}-failed-${seed}-${bucketSize}`);
  const why = (details.errorInstance as Error | undefined)?.message;
  assert.fail(`${why}\nseed ${seed}; the history, shrunk to ${steps.length} steps, is kept in ${path}`);
}

/**
 * Plays histories with a broken variant: one of them must fail. Prints the shortest that fast-check finds and what it
 * breaks.
 */
export async function showShrunkHistory<H>(
  property: fc.IAsyncProperty<[H]>,
  { runs, seed, stepsOf }: Histories<H>,
): Promise<void> {
  const details = await fc.check(property, { numRuns: runs, seed });
  assert.ok(details.failed && details.counterexample, `${runs} histories show nothing (seed ${seed})`);
  const steps = stepsOf(details.counterexample[0]);
  console.log(`      run ${details.numRuns}, shrunk ${details.numShrinks} times to ${steps.length} steps:`);
  for (const step of steps) console.log(`        ${JSON.stringify(step)}`);
  console.log(`      ${(details.errorInstance as Error | undefined)?.message.split("\n")[0]}`);
}
