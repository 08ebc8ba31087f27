import { SimRandom } from "../time/sim-random.ts";
import type { MeshFault } from "./mesh-faults.ts";

/** A step of a plan. */
type WideStep = { readonly atMs: number } & (
  | MeshFault
  | { readonly what: "crash device" | "pause device"; readonly device: number; readonly forMs: number }
  | {
      readonly what: "write";
      readonly device: number;
      readonly thread: number;
      readonly text: "";
      readonly bytes: number;
    }
);

const DAY_MS = 86_400_000;

/** Texts of 8,000 bytes, more together than a stream and the network hold for one who does not read. */
const LONG_TEXTS = 45;

/** What a wide plan is made within. Times are simulated ms. */
export interface Width {
  readonly seed: number;
  /** As of the plan. */
  readonly devices: readonly number[];
  readonly threads: readonly (readonly number[])[];
  /** When each episode ends. */
  readonly ends: readonly number[];
  readonly episodeMs: number;
  /** How long everybody sleeps after the first episode; 0: nobody does. */
  readonly sleepMs: number;
  /** Nothing befalls the servers. */
  readonly isPeople: boolean;
}

/** How long everybody sleeps after the first episode, in ms; 0 under most seeds. */
export function sleepMsOf(seed: number): number {
  return seed % 10 === 3 ? Math.round(DAY_MS * (1 + 2 * new SimRandom(`sleep ${seed}`).fraction())) : 0;
}

/**
 * What is too long or too heavy for every seed, each under one in some: the registry is away for minutes; a service is
 * restarted one by one; two message servers append to one thread;  nobody does anything for days, and some come back only when others have written long since; a
 * device reads slowly while much is written.
 */
export function wideSteps(width: Width): WideStep[] {
  const { seed, ends, episodeMs, sleepMs, isPeople } = width;
  const random = new SimRandom(`wide ${seed}`);
  const steps = slowReaders(random, width);
  if (isPeople) return steps;
  if (sleepMs > 0) steps.push(...daysPass(random, width));
  if (seed % 10 === 5) steps.push(...rivals(random, width));
  if (seed % 10 === 0) {
    const atMs = (ends[2] ?? 0) - episodeMs + 2_000;
    steps.push({ atMs, what: "registry away", forMs: random.between(120_000, 150_000) });
  }
  if (seed % 3 === 1) {
    const process = random.pick(["push", "message", "channel", "presence", "thread", "gateway"]);
    const atMs = (ends[0] ?? 0) - Math.floor(0.9 * episodeMs);
    steps.push({ atMs, what: "rolling restart", process, forMs: random.between(200, 3_000) });
  }
  return steps;
}

/** One push server reaches another message server than the rest do, and all members of a thread write at once. */
function rivals(random: SimRandom, { devices, threads, ends, episodeMs }: Width): WideStep[] {
  const atMs = (ends[0] ?? 0) - Math.floor(0.85 * episodeMs);
  const members = (thread: number) =>
    [...devices.keys()].filter((at) => threads[thread]?.includes(devices[at] ?? -1));
  const thread = threads.map((_, at) => at).sort((a, b) => members(b).length - members(a).length)[0] ?? 0;
  const forMs = 8_000;
  return [
    ...["push-0", "push-1"].map((process, at) => ({
      atMs,
      what: "apart" as const,
      process,
      other: `message-${at}`,
      forMs,
    })),
    { atMs, what: "slow logs", forMs },
    ...Array.from({ length: 60 }, () => ({
      atMs: atMs + random.between(500, 5_000),
      what: "write" as const,
      device: random.pick(members(thread)),
      thread,
      text: "" as const,
      bytes: 0,
    })),
  ];
}

function daysPass(random: SimRandom, { devices, ends, episodeMs, sleepMs }: Width): WideStep[] {
  const [first = 0, second = 0] = ends;
  const what = random.pick(["days asleep", "days off"] as const);
  const away = random.some([...devices.keys()], 4).map((device) => {
    const atMs = first - random.between(0.2 * episodeMs, 0.6 * episodeMs);
    return {
      atMs,
      what: "crash device" as const,
      device,
      forMs: second - Math.floor(0.45 * episodeMs) - atMs,
    };
  });
  return [...away, { atMs: first + 1_000, what, forMs: sleepMs - 2_000 }];
}

/** A device stands still while long texts are written in one of its threads: more than a stream may hold for it. */
function slowReaders(random: SimRandom, { isPeople, devices, threads, ends, episodeMs }: Width): WideStep[] {
  const steps: WideStep[] = [];
  for (const endMs of ends) {
    const atMs = endMs - episodeMs + random.between(0, 0.25 * episodeMs);
    const thread = random.between(0, threads.length - 1);
    const [reader, writer] = random.some(threads[thread] ?? [], 2).map((user) => devices.indexOf(user));
    if (reader === undefined || writer === undefined) continue;
    steps.push({ atMs, what: "pause device", device: reader, forMs: random.between(3_000, 18_000) });
    if (!isPeople) continue;
    for (let count = 0; count < LONG_TEXTS; count++)
      steps.push({
        atMs: atMs + 500 + 100 * count,
        what: "write",
        device: writer,
        thread,
        text: "",
        bytes: 8_000,
      });
  }
  return steps;
}
