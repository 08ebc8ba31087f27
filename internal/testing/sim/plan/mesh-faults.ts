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

/** `hand-off`: nothing but what moves topics between channel instances, and hides it from others. */
export type Theme = "hand-off" | "all";

interface Faulted {
  readonly processes: readonly string[];
  readonly theme: Theme;
  /** How long a fault may be. */
  readonly longestMs: number;
}

/** The faults of one episode, at no particular moment. */
export function meshFaults(random: SimRandom, faulted: Faulted): MeshFault[] {
  if (faulted.theme === "hand-off") return handOffFaults(random, faulted);
  const faults: MeshFault[] = [{ what: random.pick(STORE_FAULTS), forMs: random.between(1_000, 6_000) }];
  for (let made = 0; made < 6; made++) {
    const sort = random.fraction();
    if (sort < 0.6) faults.push(processFault(random, faulted, PROCESS_FAULTS, faulted.processes));
    else if (sort < 0.9) faults.push(pairFault(random, faulted, LINKED));
    else faults.push({ what: random.pick(REGISTRY_FAULTS), forMs: lasting(random, faulted) });
  }
  return faults;
}

function handOffFaults(random: SimRandom, faulted: Faulted): MeshFault[] {
  const named = (...words: string[]) =>
    faulted.processes.filter((name) => words.some((word) => name.startsWith(word)));
  const moves = ["crash", "vanish", "pause", "leave", "leave", "lease lost"] as const;
  const blinds = ["registry late", "registry unreached", "watch cut"] as const;
  const faults: MeshFault[] = [];
  for (let made = 0; made < 4; made++) faults.push(processFault(random, faulted, moves, named("channel")));
  for (let made = 0; made < 4; made++) {
    const blinded = random.pick([named("message"), named("push"), named("channel", "thread")]);
    faults.push(processFault(random, faulted, blinds, blinded));
  }
  const pairs = LINKED.filter(([, to]) => to === "channel");
  for (let made = 0; made < 2; made++) faults.push(pairFault(random, faulted, pairs));
  if (random.chance(0.3))
    faults.push({ what: random.pick(REGISTRY_FAULTS), forMs: lasting(random, faulted) });
  return faults;
}

function processFault(
  random: SimRandom,
  faulted: Faulted,
  faults: readonly (typeof PROCESS_FAULTS)[number][],
  processes: readonly string[],
): MeshFault {
  const what = random.pick(faults);
  const isOnce = what === "lease lost" || what === "watch cut";
  return { what, process: random.pick(processes), forMs: isOnce ? 0 : lasting(random, faulted) };
}

function pairFault(random: SimRandom, faulted: Faulted, pairs: typeof LINKED): MeshFault {
  const what = random.pick(PAIR_FAULTS);
  const [from, to] = random.pick(pairs);
  const named = (word: string) => random.pick(faulted.processes.filter((name) => name.startsWith(word)));
  const forMs = what === "links cut" ? 0 : lasting(random, faulted);
  return { what, process: named(from), other: named(to), forMs };
}

/** Short ones are as many as long ones. */
function lasting(random: SimRandom, { longestMs }: Faulted): number {
  return Math.round(500 * (longestMs / 500) ** random.fraction());
}
