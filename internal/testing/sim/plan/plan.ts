import { SimRandom } from "../time/sim-random.ts";
import { type MeshFault, meshFaults } from "./mesh-faults.ts";

/** Something that happens at a moment, in simulated ms. */
export type PlanStep = { readonly atMs: number } & (UserStep | DeviceFault | MeshFault);

/** What a person does on a device. */
export type UserStep =
  | { readonly what: "write"; readonly device: number; readonly thread: number; readonly text: string }
  | { readonly what: "read" | "type"; readonly device: number; readonly thread: number }
  | { readonly what: "block" | "unblock"; readonly device: number; readonly peer: number };

/** What befalls a device. */
export interface DeviceFault {
  readonly what: "crash device" | "offline" | "cut" | "half-open";
  readonly device: number;
  readonly forMs: number;
}

/** What happens under a seed: who there is, for how long, and every step. */
export interface Plan {
  readonly seed: string;
  readonly users: number;
  /** The user of each device. */
  readonly devices: readonly number[];
  /** Members of each thread, by user: two for a direct one. */
  readonly threads: readonly (readonly number[])[];
  /** The names of the servers' processes: the word of a service, and a number. */
  readonly processes: readonly string[];
  readonly lengthMs: number;
  readonly steps: readonly PlanStep[];
}

const DEVICE_FAULTS = ["crash device", "offline", "cut", "half-open"] as const;

/** Every tenth seed is long: touches age, clients sync by themselves. */
export function planOf(seed: number): Plan {
  const random = new SimRandom(`plan ${seed}`);
  const users = random.between(12, 16);
  const devices = Array.from({ length: users }, (_, user) =>
    Array<number>(1 + random.between(0, 2)).fill(user),
  ).flat();
  const direct = Array.from({ length: 24 }, (_, at) => [
    at % users,
    (at + random.between(1, users - 1)) % users,
  ]);
  const groups = Array.from({ length: 3 }, () => random.some([...Array(users).keys()], random.between(3, 7)));
  const threads = random.some([...direct, ...groups], 27);
  const processes = meshOf(random);
  const lengthMs = seed % 10 === 0 ? 900_000 : 180_000;
  const at = () => 6_000 + Math.floor(random.fraction() * (lengthMs - 6_000));
  const device = () => random.between(0, devices.length - 1);
  const steps: PlanStep[] = [];
  for (let count = 0; count < 320; count++) {
    const thread = aThread(random, threads.length);
    const member = random.pick(threads[thread] as number[]);
    const own = [...devices.keys()].filter((one) => devices[one] === member);
    const who = { device: random.pick(own), thread };
    steps.push({ atMs: at(), what: "write", ...who, text: `text ${count}` });
    if (count % 4 === 0) steps.push({ atMs: at(), what: random.chance(0.7) ? "read" : "type", ...who });
  }
  for (let count = 0; count < 3; count++) {
    const pair = { device: device(), peer: random.between(0, users - 1) };
    const blockedMs = at();
    steps.push(
      { atMs: blockedMs, what: "block", ...pair },
      { atMs: blockedMs + 20_000, what: "unblock", ...pair },
    );
  }
  for (let count = 0; count < 14; count++) {
    const forMs = random.between(2_000, 40_000);
    steps.push({ atMs: at(), what: random.pick(DEVICE_FAULTS), device: device(), forMs });
  }
  for (const fault of meshFaults(random, processes, lengthMs / 18_000)) steps.push({ atMs: at(), ...fault });
  steps.sort((a, b) => a.atMs - b.atMs);
  return { seed: String(seed), users, devices, threads, processes, lengthMs, steps };
}

/** Some threads have much to say, and most little: what is missed in those nothing later makes good. */
function aThread(random: SimRandom, count: number): number {
  return Math.floor(count * random.fraction() ** 2.5);
}

function meshOf(random: SimRandom): string[] {
  const named = (word: string, count: number) => Array.from({ length: count }, (_, at) => `${word}-${at}`);
  return [
    ...named("channel", random.between(2, 3)),
    ...named("message", random.between(2, 3)),
    ...named("thread", 2),
    ...named("presence", 1),
    ...named("push", random.between(2, 3)),
    ...named("gateway", random.between(1, 2)),
  ];
}

/** A step as a sentence. */
export function storyOf(plan: Plan, step: PlanStep): string {
  const said = () => {
    const device = "device" in step ? deviceName(plan, step.device) : "";
    if (step.what === "write") return `${device} writes "${step.text}" in thread ${step.thread}`;
    if ("peer" in step) return `${device} ${step.what}s u${step.peer}`;
    if ("thread" in step) return `${device} ${step.what}s in thread ${step.thread}`;
    const whose = "process" in step ? step.process : device;
    const other = "other" in step ? ` and ${step.other}` : "";
    const how = step.forMs > 0 ? `, for ${(step.forMs / 1_000).toFixed(1)} s` : "";
    return `${step.what}${whose && `: ${whose}${other}`}${how}`;
  };
  return `${(step.atMs / 1_000).toFixed(1)} s: ${said()}`;
}

export function deviceName(plan: Plan, device: number): string {
  return `u${plan.devices[device]}-${device}`;
}
