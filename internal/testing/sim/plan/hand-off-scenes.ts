import type { SimRandom } from "../time/sim-random.ts";
import type { Faulted, MeshFault } from "./mesh-faults.ts";

/** A fault, so many ms after its scene began. */
export type SceneFault = MeshFault & { readonly afterMs: number };

/** Draws the parts of a scene. */
interface Cast {
  /** A channel instance that runs. */
  readonly channel: string;
  readonly push: string;
  readonly pushes: readonly string[];
  readonly message: string;
  /** One that does not run: another takes other topics. */
  readonly visitor: string;
  /** A moment of the scene, in ms. */
  moment(fromMs: number, toMs: number): number;
}

/** Nobody hears for so long what is late, in ms: longer than a lease, and than an instance takes to leave and return. */
const LATE_MS = 14_000;

/** An instance that leaves has given its place up, and is started again, within this, in ms. */
const RETURN_MS = 4_000;

/** What comes or goes before the calm makes topics move, and they are compared as they do: so it does not, in ms. */
const GONE_MS = 75_000;

/** An instance is told nothing for so long, in ms: until the publisher does not ask it any more, and so has nothing to repair. */
const UNTOLD_MS = 2.5 * LATE_MS;

/** After a registration every link has told its number within this, in ms, where nothing hinders it. */
const TOLD_MS = 400;

/**
 * What the hand-off is for: topics move between channel instances while somebody does not know it yet. By chance such
 * faults would seldom meet, so each scene brings them together.
 */
const SCENES: readonly ((cast: Cast) => SceneFault[])[] = [
  joinUnheard,
  brokenBeforeRepair,
  untoldOwner,
  leaseRunsOut,
  leaveUnheard,
  hiddenVisit,
  visitUnreached,
  leaseLostUntold,
  leaseLostUnheard,
];

/** Deals scenes, each with its own parts and none twice: one more of the same brings no other kind of fault. */
export function handOffScenes(
  random: SimRandom,
  { processes }: Pick<Faulted, "processes">,
): () => SceneFault[] {
  const named = (word: string) => processes.filter((name) => name.startsWith(word));
  const left = [...SCENES];
  return () => {
    const scene = random.pick(left);
    left.splice(left.indexOf(scene), 1);
    return scene({
      channel: random.pick(named("channel")),
      push: random.pick(named("push")),
      pushes: named("push"),
      message: random.pick(named("message")),
      visitor: `channel-${random.between(3, 9)}`,
      moment: (fromMs, toMs) => random.between(fromMs, toMs),
    });
  };
}

/** An instance leaves and returns. A publisher hears of its return much later, or a push server, which it answers last. */
function joinUnheard({ channel, push, message, moment }: Cast): SceneFault[] {
  const process = moment(0, 1) === 0 ? push : message;
  const slow = { what: "links slow", process, other: channel, forMs: 3 * LATE_MS, afterMs: 1_000 } as const;
  return [
    { what: "leave", process: channel, forMs: moment(100, 1_000), afterMs: 0 },
    { what: "registry late", process, forMs: LATE_MS, afterMs: 1_000 },
    ...(process === push ? [slow] : []),
  ];
}

/** What an instance broadcasts cannot be read, and it goes before it can, and just before its publisher hears of the new owner. */
function brokenBeforeRepair({ channel, pushes, message, visitor, moment }: Cast): SceneFault[] {
  const goneMs = moment(7_000, 12_000);
  return [
    { what: "registry late", process: message, forMs: goneMs + 500, afterMs: 0 },
    { what: "visit", process: visitor, forMs: GONE_MS, afterMs: 50 },
    ...toAll(pushes, { what: "links silent", other: channel, forMs: LATE_MS, afterMs: 50 + TOLD_MS }),
    { what: "crash", process: channel, forMs: RETURN_MS, afterMs: goneMs },
  ];
}

/** No push server can tell the owner before that topics have moved, and a publisher does not hear of it. */
function untoldOwner({ channel, pushes, message, visitor }: Cast): SceneFault[] {
  return [
    { what: "registry late", process: message, forMs: 2 * LATE_MS, afterMs: 0 },
    ...toAll(pushes, { what: "apart", other: channel, forMs: UNTOLD_MS, afterMs: 0 }),
    { what: "visit", process: visitor, forMs: GONE_MS, afterMs: 50 },
  ];
}

/** An instance does not reach the registry until its lease is gone, and a publisher does not hear of it. */
function leaseRunsOut({ channel, message, moment }: Cast): SceneFault[] {
  const late = { what: "registry late", process: message, forMs: 2 * LATE_MS, afterMs: 0 } as const;
  if (moment(0, 2) === 0) return [late, { what: "lease lost", process: channel, forMs: 0, afterMs: 100 }];
  if (moment(0, 3) === 0) return [late, { what: "pause", process: channel, forMs: LATE_MS, afterMs: 100 }];
  return [late, { what: "registry unreached", process: channel, forMs: GONE_MS, afterMs: 100 }];
}

/** An instance leaves, and a publisher does not hear of it. */
function leaveUnheard({ channel, message, moment }: Cast): SceneFault[] {
  return [
    { what: "registry late", process: message, forMs: LATE_MS, afterMs: 0 },
    { what: "leave", process: channel, forMs: GONE_MS, afterMs: moment(100, 1_000) },
  ];
}

/** An instance comes and goes, of which a push server hears nothing. */
function hiddenVisit({ push, visitor, moment }: Cast): SceneFault[] {
  return [
    { what: "registry unreached", process: push, forMs: LATE_MS, afterMs: 0 },
    { what: "watch cut", process: push, forMs: 0, afterMs: 10 },
    { what: "visit", process: visitor, forMs: moment(4_000, 9_000), afterMs: moment(100, 500) },
  ];
}

/** An instance comes and goes, and a push server hears of it, but cannot speak to it. */
function visitUnreached({ push, visitor, moment }: Cast): SceneFault[] {
  return [
    { what: "links silent", process: push, other: visitor, forMs: LATE_MS, afterMs: 0 },
    { what: "visit", process: visitor, forMs: moment(2_500, 4_500), afterMs: 50 },
  ];
}

/** Topics have moved away from an instance, which then loses its lease. No push server tells it again, and a publisher has heard of neither. */
function leaseLostUntold({ channel, pushes, message, visitor }: Cast): SceneFault[] {
  return [
    { what: "registry late", process: message, forMs: 2 * LATE_MS, afterMs: 0 },
    { what: "visit", process: visitor, forMs: GONE_MS, afterMs: 50 },
    ...toAll(pushes, { what: "apart", other: channel, forMs: UNTOLD_MS, afterMs: 2 * TOLD_MS }),
    { what: "lease lost", process: channel, forMs: 0, afterMs: 3 * TOLD_MS },
  ];
}

/** An instance has lost its lease for a while, of which a push server hears nothing but that its link ends. */
function leaseLostUnheard({ channel, push, moment }: Cast): SceneFault[] {
  return [
    { what: "registry late", process: push, forMs: GONE_MS, afterMs: 0 },
    { what: "registry unreached", process: channel, forMs: LATE_MS + moment(0, 4_000), afterMs: 100 },
  ];
}

/** The same between each of these and another. */
function toAll(
  processes: readonly string[],
  fault: Omit<Extract<SceneFault, { other: string }>, "process">,
): SceneFault[] {
  return processes.map((process) => ({ ...fault, process }));
}
