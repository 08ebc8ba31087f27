import type { SimRandom } from "../time/sim-random.ts";

/** What befalls the servers, their network, the registry and the stores. `forMs`: until it is well again. */
export type MeshFault = { readonly forMs: number } & (
  | { readonly what: (typeof PROCESS_FAULTS)[number]; readonly process: string }
  | {
      readonly what: (typeof PAIR_FAULTS)[number] | "links slow";
      readonly process: string;
      readonly other: string;
    }
  /** Every process of a service leaves and starts again, one after another; `forMs`: for how long each is gone. */
  | { readonly what: "rolling restart"; readonly process: string }
  /** Nobody does anything: all machines and devices stand still, or the servers are switched off and the devices stand still. */
  | { readonly what: "days asleep" | "days off" }
  | { readonly what: (typeof STORE_FAULTS)[number] | (typeof REGISTRY_FAULTS)[number] }
);

/**
 * `crash`: its connections break; `vanish`: nobody hears of it, as when the machine is gone; `leave`: in good order. All
 * three start again. `visit`: one that does not run starts, and leaves after that time. `lease lost`, `watch cut`: once. The registry is not reached by one process, or tells it late.
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
  "visit",
] as const;

/** The channel instance that does not run but for visits. */
export const VISITOR = "channel-9";

/** Links of two processes break once; fall silent; nothing connects them. In scenes they may be slow as well. */
const PAIR_FAULTS = ["links cut", "links silent", "apart"] as const;

const STORE_FAULTS = ["slow logs", "slow rows", "logs away", "rows away"] as const;

/** `registry restored`: it goes back to what it was `forMs` before. */
const REGISTRY_FAULTS = ["registry away", "registry restored"] as const;

/** Which programs ask which: pairs between which there are links. */
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

/** What faults are made for. */
export interface Faulted {
  readonly processes: readonly string[];
  /** How long a fault may be. */
  readonly longestMs: number;
}

/** The faults of one episode, at no particular moment. */
export function meshFaults(random: SimRandom, faulted: Faulted): MeshFault[] {
  const faults: MeshFault[] = [{ what: random.pick(STORE_FAULTS), forMs: random.between(1_000, 6_000) }];
  for (let made = 0; made < 6; made++) {
    const sort = random.fraction();
    if (sort < 0.6) faults.push(processFault(random, faulted));
    else if (sort < 0.9) faults.push(pairFault(random, faulted));
    else faults.push({ what: random.pick(REGISTRY_FAULTS), forMs: lasting(random, faulted) });
  }
  return faults;
}

function processFault(random: SimRandom, faulted: Faulted): MeshFault {
  const what = random.pick(PROCESS_FAULTS);
  if (what === "visit") return { what, process: VISITOR, forMs: lasting(random, faulted) };
  const isOnce = what === "lease lost" || what === "watch cut";
  return { what, process: random.pick(faulted.processes), forMs: isOnce ? 0 : lasting(random, faulted) };
}

function pairFault(random: SimRandom, faulted: Faulted): MeshFault {
  const what = random.pick(PAIR_FAULTS);
  const [from, to] = random.pick(LINKED);
  const named = (word: string) => random.pick(faulted.processes.filter((name) => name.startsWith(word)));
  const forMs = what === "links cut" ? 0 : lasting(random, faulted);
  return { what, process: named(from), other: named(to), forMs };
}

/** Short ones are as many as long ones. */
function lasting(random: SimRandom, { longestMs }: Faulted): number {
  return Math.round(500 * (longestMs / 500) ** random.fraction());
}
