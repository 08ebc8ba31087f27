import type { SimRandom } from "../time/sim-random.ts";
import { type Faulted, lasting, type MeshFault, VISITOR } from "./mesh-faults.ts";

/** A fault, so many ms after its scene began. */
export type SceneFault = MeshFault & { readonly afterMs: number };

/** Draws the parts of a scene. */
interface Cast {
  readonly random: SimRandom;
  readonly longMs: number;
  readonly channels: readonly string[];
  /** One of a service. */
  one(word: string): string;
  /** A moment of the scene, in ms. */
  moment(fromMs: number, toMs: number): number;
}

/**
 * What the hand-off is for: topics move between channel instances while somebody does not know it yet. By chance such
 * faults would seldom meet, so each scene brings them together.
 */
const SCENES: readonly ((cast: Cast) => SceneFault[])[] = [
  lateWhileMoving("push"),
  lateWhileMoving("message"),
  brokenBeforeRepair,
  leaseRunsOut,
  leavesUnheard,
  hiddenVisit,
];

/** One scene after another, each with its own parts. */
export function handOffScene(random: SimRandom, faulted: Faulted): SceneFault[] {
  const named = (word: string) => faulted.processes.filter((name) => name.startsWith(word));
  return random.pick(SCENES)({
    random,
    longMs: faulted.longestMs,
    channels: random.some(named("channel"), 3),
    one: (word) => random.pick(named(word)),
    moment: (fromMs, toMs) => random.between(fromMs, toMs),
  });
}

/** A process hears late of instances that come and go. */
function lateWhileMoving(word: "push" | "message") {
  return (cast: Cast): SceneFault[] => [
    { what: "registry late", process: cast.one(word), forMs: cast.longMs, afterMs: 0 },
    moves(cast, cast.channels[0] ?? VISITOR, cast.moment(100, 3_000)),
    moves(cast, VISITOR, cast.moment(100, 6_000)),
  ];
}

/** What was broadcast cannot be read, and its instance goes before it can. */
function brokenBeforeRepair(cast: Cast): SceneFault[] {
  const [first = VISITOR, second = VISITOR] = cast.channels;
  return [
    { what: "links silent", process: cast.one("push"), other: first, forMs: cast.longMs, afterMs: 400 },
    { what: "registry late", process: cast.one("message"), forMs: cast.longMs, afterMs: 0 },
    moves(cast, cast.random.pick([VISITOR, second]), cast.moment(0, 500)),
    { what: "crash", process: first, forMs: cast.longMs / 2, afterMs: cast.moment(2_000, 8_000) },
  ];
}

/** An instance does not reach the registry until its lease is gone, and a publisher does not hear of it. */
function leaseRunsOut(cast: Cast): SceneFault[] {
  const [first = VISITOR] = cast.channels;
  const what = cast.random.pick(["registry unreached", "lease lost", "pause"] as const);
  return [
    { what: "registry late", process: cast.one("message"), forMs: cast.longMs, afterMs: 0 },
    { what, process: first, forMs: what === "lease lost" ? 0 : cast.longMs, afterMs: 100 },
  ];
}

/** An instance leaves, and a publisher does not hear of it. */
function leavesUnheard(cast: Cast): SceneFault[] {
  const [first = VISITOR] = cast.channels;
  return [
    { what: "registry late", process: cast.one("message"), forMs: cast.longMs, afterMs: 0 },
    { what: "leave", process: first, forMs: cast.longMs / 2, afterMs: cast.moment(100, 1_000) },
  ];
}

/** An instance comes and goes, of which a push server hears nothing. */
function hiddenVisit(cast: Cast): SceneFault[] {
  const push = cast.one("push");
  return [
    { what: "registry unreached", process: push, forMs: cast.longMs, afterMs: 0 },
    { what: "watch cut", process: push, forMs: 0, afterMs: 10 },
    { what: "visit", process: VISITOR, forMs: cast.moment(500, 3_000), afterMs: cast.moment(100, 500) },
  ];
}

function moves({ random, longMs }: Cast, process: string, afterMs: number): SceneFault {
  const forMs = lasting(random, { processes: [], longestMs: longMs });
  if (process === VISITOR) return { what: "visit", process, forMs, afterMs };
  const what = random.pick(["crash", "leave", "lease lost", "pause"] as const);
  return { what, process, forMs: what === "lease lost" ? 0 : forMs, afterMs };
}
