import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sourcesHash } from "../../../base/sources-hash.ts";
import type { Manner } from "./played.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** A file of seeds that were clean with the same sources, played in the same manner: lines of a state and a seed. */
export class CleanSeeds {
  readonly #file: string;
  readonly #state: string;
  readonly #seeds: ReadonlySet<number>;

  constructor(file: string, state: string) {
    this.#file = file;
    this.#state = state;
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    const own = lines.filter((line) => line.startsWith(`${state} `));
    this.#seeds = new Set(own.map((line) => Number(line.slice(state.length))));
  }

  has(seed: number): boolean {
    return this.#seeds.has(seed);
  }

  note(seed: number): void {
    appendFileSync(this.#file, `${this.#state} ${seed}\n`);
  }
}

/** Names what decides how a seed plays: the sources, and the manner. */
export async function stateOf({ theme, isBrief, mutant, only }: Manner): Promise<string> {
  const folders = ["internal", "client"].map((folder) => ({ folder: `${ROOT}${folder}`, ending: ".ts" }));
  return JSON.stringify([await sourcesHash(ROOT, folders), { theme, isBrief, mutant, only }]);
}
