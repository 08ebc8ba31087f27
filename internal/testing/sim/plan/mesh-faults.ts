import type { SimRandom } from "../time/sim-random.ts";

/** What befalls the servers, their network, the registry and the stores. `forMs`: until it is well again. */
export type MeshFault = { readonly forMs: number } & (
  | { readonly what: (typeof PROCESS_FAULTS)[number]; readonly process: string }
  | { readonly what: (typeof PAIR_FAULTS)[number]; readonly process: string; readonly other: string }
  | { readonly what: (typeof STORE_FAULTS)[number] | (typeof REGISTRY_FAULTS)[number] }
);

/**
 * `crash`: its connections break; `vanish`: nobody hears of it, as when the machine is gone; `leave`: in good order. All
 * three start again. `lease lost`, `watch cut`: once. The registry is not reached by one process, or tells it late.
 */
const PROCESS_FAULTS = [
  "crash",
  "crash",
  "vanish",
  "pause",
  "pause",
  "leave",
  "leave",
  "lease lost",
  "watch cut",
  "registry unreached",
  "registry late",
] as const;

/** Links of two processes break once; fall silent; nothing connects them. */
const PAIR_FAULTS = ["links cut", "links silent", "apart"] as const;

const STORE_FAULTS = ["slow logs", "slow rows", "logs away", "rows away"] as const;

/** `registry restored`: it goes back to what it was `forMs` before. */
const REGISTRY_FAULTS = ["registry away", "registry restored"] as const;

/** Who asks whom: pairs between which there are links. */
const LINKED: readonly (readonly [from: string, to: string])[] = [
  ["push", "channel"],
  ["push", "message"],
  ["push", "presence"],
  ["push", "thread"],
  ["message", "channel"],
  ["thread", "channel"],
  ["thread", "message"],
  ["thread", "presence"],
  ["message", "presence"],
];

/** So many faults at least, of each sort some. */
export function meshFaults(random: SimRandom, processes: readonly string[], count: number): MeshFault[] {
  const faults: MeshFault[] = random.some(STORE_FAULTS, 2).map((what) => ({
    what,
    forMs: random.between(1_000, 6_000),
  }));
  for (let made = 0; made < count; made++) {
    const sort = random.fraction();
    if (sort < 0.6) faults.push(processFault(random, processes));
    else if (sort < 0.9) faults.push(pairFault(random, processes));
    else faults.push({ what: random.pick(REGISTRY_FAULTS), forMs: random.pick([3_000, 12_000, 60_000]) });
  }
  return faults;
}

function processFault(random: SimRandom, processes: readonly string[]): MeshFault {
  const what = random.pick(PROCESS_FAULTS);
  const forMs = random.pick([500, 3_000, 8_000, 15_000, 25_000]);
  // The hand-off is what most of the mesh's protocol is for.
  const channels = processes.filter((name) => name.startsWith("channel"));
  const process = random.pick(random.chance(0.4) ? channels : processes);
  return { what, process, forMs: what === "lease lost" || what === "watch cut" ? 0 : forMs };
}

function pairFault(random: SimRandom, processes: readonly string[]): MeshFault {
  const what = random.pick(PAIR_FAULTS);
  const [from, to] = random.pick(LINKED);
  const named = (word: string) => random.pick(processes.filter((name) => name.startsWith(word)));
  const forMs = what === "links cut" ? 0 : random.pick([2_000, 12_000, 25_000]);
  return { what, process: named(from), other: named(to), forMs };
}
