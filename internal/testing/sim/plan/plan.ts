import { SimRandom } from "../time/sim-random.ts";
import { handOffScenes, type SceneFault } from "./hand-off-scenes.ts";
import { type MeshFault, meshFaults } from "./mesh-faults.ts";
import { sleepMsOf, wideSteps } from "./wide-steps.ts";

/** Something that happens at a moment, in simulated ms. */
export type PlanStep = { readonly atMs: number } & (UserStep | DeviceFault | MeshFault);

/** What a person does on a device. */
export type UserStep =
  | {
      readonly what: "write";
      readonly device: number;
      readonly thread: number;
      readonly text: string;
      /** How long the text is made; left out: as short as it is. */
      readonly bytes?: number;
    }
  | { readonly what: "read" | "type"; readonly device: number; readonly thread: number }
  | { readonly what: "block" | "unblock"; readonly device: number; readonly peer: number }
  | {
      readonly what: "change";
      readonly change: "add" | "remove" | "leave group";
      readonly device: number;
      readonly thread: number;
      readonly peer: number;
    }
  | { readonly what: "hide" | "show"; readonly device: number }
  /** Another device of the user is signed out for good. */
  | { readonly what: "sign out"; readonly device: number; readonly other: number };

/** What befalls a device. */
export interface DeviceFault {
  /** `sign in`: it is new, and does nothing before. `pause device`: it stands still; what comes waits. */
  readonly what: "crash device" | "offline" | "cut" | "half-open" | "sign in" | "pause device";
  readonly device: number;
  readonly forMs: number;
}

/**
 * `hand-off`: nothing but topics that move between channel instances while somebody does not know it. `people`: nothing
 * befalls the servers, so that every bound is judged strictly.
 */
export type Theme = "hand-off" | "people" | "all";

/** What happens under a seed: who there is, for how long, and every step. */
export interface Plan {
  readonly seed: string;
  readonly users: number;
  /** The user of each device. */
  readonly devices: readonly number[];
  /** Members of each thread, by user: two for a direct one. The first of a group makes it. */
  readonly threads: readonly (readonly number[])[];
  /** The names of the servers' processes: the word of a service, and a number. */
  readonly processes: readonly string[];
  readonly theme: Theme;
  /** When all is quiet, and what clients know is noted; the last ends the run. Simulated ms. */
  readonly calms: readonly number[];
  readonly steps: readonly PlanStep[];
  /**
   * Its one scene may last through a calm. Otherwise everybody has heard of the registry before one: while a push server
   * has not, what happens to other instances meanwhile may pass it by, and all is not quiet (docs/design.md, section 7, Holds).
   */
  readonly isBrief?: boolean;
}

/** What a plan is asked for. */
export interface PlanOptions {
  /** Left out: by the seed. */
  readonly theme?: Theme | undefined;
  /** One episode, and one device to each user: to look for what is broken on purpose. */
  readonly isBrief?: boolean;
}

const DEVICE_FAULTS = ["crash device", "offline", "cut", "half-open"] as const;

/** The themes of some seeds, by their last digit; of all others the seed draws one. */
const THEMES: Readonly<Record<number, Theme>> = { 0: "all", 3: "all", 5: "all", 7: "people" };

/** When devices have started, groups are made and the first things happen, in ms. */
const BEGIN_MS = 6_000;

/** In a brief plan all is quiet so long before its end, in ms: before the faults end, which brings back what was missed. */
const QUIET_MS = 34_000;

/**
 * A run is a row of episodes: faults in the first third of each, writing in the first half, and then quiet, so that
 * what was missed is seen missing. Every tenth seed is long: touches age, clients sync by themselves.
 */
export function planOf(seed: number, { theme: asked, isBrief = false }: PlanOptions = {}): Plan {
  const random = new SimRandom(`plan ${seed}`);
  const users = isBrief ? 12 : random.between(12, 16);
  const devices = Array.from({ length: users }, (_, user) =>
    Array<number>(isBrief ? 1 : 1 + random.between(0, 2)).fill(user),
  ).flat();
  const drawn: Theme = random.chance(0.4) ? "hand-off" : "all";
  const theme = asked ?? (isBrief ? drawn : (THEMES[seed % 10] ?? drawn));
  const threads = threadsOf(random, users, theme);
  const processes = meshOf(random);
  const isLong = !isBrief && seed % 10 === 0;
  const episodeMs = isLong ? 180_000 : 90_000;
  const episodes = isLong ? 5 : isBrief ? 1 : 2;
  const sleepMs = isBrief || theme !== "all" ? 0 : sleepMsOf(seed);
  const ends = Array.from(
    { length: episodes },
    (_, at) => BEGIN_MS + (at + 1) * episodeMs + (at > 0 ? sleepMs : 0),
  );
  const calms = isBrief ? [...ends.map((endMs) => endMs - QUIET_MS), ...ends] : ends;
  const plan = { seed: String(seed), users, devices, threads, processes, theme, calms, steps: [], isBrief };
  const steps: PlanStep[] = ends.flatMap((endMs) => {
    const fromMs = endMs - episodeMs;
    const within = (share: number) => fromMs + Math.floor(random.fraction() * share * episodeMs);
    const longestMs = episodeMs * 0.15;
    const dealScene = handOffScenes(random, { processes });
    return [
      ...userSteps(random, plan, isBrief ? 150 : Math.ceil(340 / episodes), () =>
        within(isBrief ? 0.3 : 0.45),
      ),
      ...(theme === "hand-off" ? [] : deviceFaults(random, plan, 7, longestMs)).map((fault) => ({
        atMs: within(0.3),
        ...fault,
      })),
      ...(theme === "all"
        ? meshFaults(random, { processes, longestMs }).map((fault) => ({ atMs: within(0.3), ...fault }))
        : Array.from({ length: theme === "people" ? 0 : isBrief ? 1 : 3 }, () =>
            sceneSteps(within(isBrief ? 0.1 : 0.3), dealScene()),
          ).flat()),
    ];
  });
  if (theme !== "hand-off") steps.push(...deviceChanges(random, plan, (ends.at(-1) ?? 0) - sleepMs));
  if (theme !== "hand-off" && !isBrief)
    steps.push(
      ...wideSteps({ seed, devices, threads, ends, episodeMs, sleepMs, isPeople: theme === "people" }),
    );
  let written = 0;
  const named = steps
    .sort((a, b) => a.atMs - b.atMs)
    .map((step) =>
      step.what === "write"
        ? { ...step, text: `text ${written++}`.padEnd(step.bytes ?? 0, " and more") }
        : step,
    );
  return { ...plan, steps: named };
}

/** Where entries may be missed in many threads, each has little to say: nothing later tells of what was missed. */
function threadsOf(random: SimRandom, users: number, theme: Theme): (readonly number[])[] {
  const pairs = theme === "hand-off" ? 5 : 2;
  const direct = Array.from({ length: users }, (_, user) =>
    random.some([...Array(users).keys()].slice(user + 1), pairs).map((other) => [user, other]),
  ).flat();
  const groups = Array.from({ length: 3 }, () => random.some([...Array(users).keys()], random.between(3, 7)));
  return [...random.some([...direct, ...groups], direct.length + groups.length)];
}

function userSteps(
  random: SimRandom,
  { devices, threads, users, theme }: Plan,
  writes: number,
  at: () => number,
): PlanStep[] {
  const steps: PlanStep[] = [];
  for (let count = 0; count < writes; count++) {
    const thread = aThread(random, threads.length, theme);
    const member = random.pick(threads[thread] as number[]);
    const own = [...devices.keys()].filter((one) => devices[one] === member);
    const who = { device: random.pick(own), thread };
    steps.push({ atMs: at(), what: "write", ...who, text: "" });
    if (count % 4 === 0) steps.push({ atMs: at(), what: random.chance(0.7) ? "read" : "type", ...who });
  }
  const someone = () => random.between(0, devices.length - 1);
  const anybody = () => random.between(0, users - 1);
  const pair = { device: someone(), peer: anybody() };
  const blockedMs = at();
  steps.push({ atMs: blockedMs, what: "block", ...pair });
  steps.push({ atMs: blockedMs + 10_000, what: "unblock", ...pair });
  const hider = someone();
  const hiddenMs = at();
  steps.push({ atMs: hiddenMs, what: "hide", device: hider });
  if (random.chance(0.5)) steps.push({ atMs: hiddenMs + 10_000, what: "show", device: hider });
  for (let count = 0; count < 4; count++) {
    const thread = random.pick([...threads.keys()].filter((one) => (threads[one]?.length ?? 0) > 2));
    const members = threads[thread] as number[];
    const device = devices.indexOf(random.pick(members));
    const change = random.pick(["add", "add", "remove", "leave group"] as const);
    const peer = change === "add" ? anybody() : random.pick(members);
    steps.push({ atMs: at(), what: "change", change, device, thread, peer });
  }
  return steps;
}

/** Devices that come late, and one that is signed out by another of its user. */
function deviceChanges(random: SimRandom, { devices }: Plan, endMs: number): PlanStep[] {
  const several = [...devices.keys()].filter((at) => devices.indexOf(devices[at] as number) !== at);
  const [late, other] = random.some(several, 2);
  const steps: PlanStep[] = [];
  const atMs = () => Math.floor(endMs * (0.1 + 0.5 * random.fraction()));
  if (late !== undefined) steps.push({ atMs: atMs(), what: "sign in", device: late, forMs: 0 });
  if (other === undefined) return steps;
  const device = devices.indexOf(devices[other] as number);
  return [...steps, { atMs: atMs(), what: "sign out", device, other }];
}

function deviceFaults(random: SimRandom, { devices }: Plan, count: number, longestMs: number): DeviceFault[] {
  return Array.from({ length: count }, () => ({
    what: random.pick(DEVICE_FAULTS),
    device: random.between(0, devices.length - 1),
    forMs: random.between(2_000, longestMs),
  }));
}

/** Some threads have much to say, and most little: what is missed in those nothing later makes good. */
function aThread(random: SimRandom, count: number, theme: Theme): number {
  return Math.floor(count * random.fraction() ** (theme === "hand-off" ? 1 : 2.5));
}

function sceneSteps(atMs: number, faults: readonly SceneFault[]): PlanStep[] {
  return faults.map(({ afterMs, ...fault }) => ({ ...fault, atMs: atMs + afterMs }));
}

function meshOf(random: SimRandom): string[] {
  const named = (word: string, count: number) => Array.from({ length: count }, (_, at) => `${word}-${at}`);
  return [
    ...named("channel", random.between(2, 3)),
    ...named("message", random.between(2, 3)),
    ...named("thread", 2),
    ...named("presence", 2),
    ...named("push", random.between(2, 3)),
    ...named("gateway", random.between(1, 2)),
  ];
}

export function deviceName(plan: Plan, device: number): string {
  return `u${plan.devices[device]}-${device}`;
}
