import { REACHING_SEEDS, unreached } from "../reach/branches.ts";
import type { Played } from "./played.ts";

type Counts = Map<string, number>;

/** What came of all seeds. */
export class Tally {
  readonly #bites: Counts = new Map();
  readonly #reached: Counts = new Map();
  #count = 0;
  #failed = 0;
  #simulatedMs = 0;
  #cpuUs = 0;

  get hasFailed(): boolean {
    return this.#failed > 0;
  }

  /** Enough was played for every branch of the protocol to be reached. */
  get isWide(): boolean {
    return this.#count >= REACHING_SEEDS;
  }

  /** Branches that no seed reached. */
  get unreached(): readonly string[] {
    return unreached(this.#reached);
  }

  add({ isClean, bites, reached, simulatedMs, cpuUs }: Played): void {
    this.#count += 1;
    if (!isClean) this.#failed += 1;
    this.#simulatedMs += simulatedMs;
    this.#cpuUs += cpuUs;
    count(this.#bites, bites);
    count(this.#reached, reached);
  }

  /** The figures, how often each fault met something, and how often each branch was reached. */
  lines(): readonly string[] {
    const hours = this.#simulatedMs / 3_600_000;
    const minutes = this.#cpuUs / 60e6;
    return [
      `${this.#failed} of ${this.#count} seeds failed; ${hours.toFixed(2)} simulated hours in ${minutes.toFixed(2)} CPU minutes: ${(hours / (minutes || 1)).toFixed(2)} a minute`,
      ...linesOf(this.#bites),
      "branches of the protocol:",
      ...linesOf(this.#reached),
      ...this.unreached.map((branch) => `  never reached: ${branch}`),
    ];
  }
}

function count(counts: Counts, more: readonly (readonly [string, number])[]): void {
  for (const [name, times] of more) counts.set(name, (counts.get(name) ?? 0) + times);
}

function linesOf(counts: Counts): readonly string[] {
  return [...counts].sort().map(([name, times]) => `  ${name}: ${times}`);
}
