import type { MeshFault } from "../plan/mesh-faults.ts";
import type { Plan, PlanStep } from "../plan/plan.ts";

type Fault = MeshFault & { readonly atMs: number };

/** One of each, and two channel instances. */
const PROCESSES = ["channel-0", "channel-1", "message-0", "thread-0", "presence-0", "push-0", "gateway-0"];

/** It does not run but for visits; then it takes the inboxes of u1, u7 and u10 from channel-0, of u5 and u9 from channel-1. */
const VISITOR = "channel-4";
const USERS = [0, 1, 7, 10, 5, 9];
const THREADS = [1, 7, 10, 5, 9].map((user) => [0, user]);

/** Until all have met, in ms. Every fault of before ends now: the calm is so long before. */
const MET_MS = 7_000;
const CALM_MS = 37_000;

/** Longer than the history, in ms. */
const FOREVER_MS = 60_000;

/** u0 writes once to everybody at first, and twice to each in a time. What is missed then nothing later tells of. */
function history([fromMs, toMs]: readonly [fromMs: number, toMs: number], ...faults: readonly Fault[]): Plan {
  const write = (atMs: number, thread: number): PlanStep => ({
    atMs,
    what: "write",
    device: 0,
    thread,
    text: `text ${thread} of ${atMs}`,
  });
  const many = 2 * THREADS.length;
  const missed = Array.from({ length: many }, (_, at) =>
    write(Math.round(fromMs + ((toMs - fromMs) * at) / (many - 1)), at % THREADS.length),
  );
  const steps = [...THREADS.keys()].map((thread) => write(MET_MS - 1_000, thread)).concat(missed, faults);
  return {
    seed: "1",
    users: 1 + Math.max(...USERS),
    devices: USERS,
    threads: THREADS,
    processes: PROCESSES,
    theme: "hand-off",
    calms: [CALM_MS],
    steps: steps.sort((a, b) => a.atMs - b.atMs),
  };
}

const joins: Fault = { atMs: 7_550, what: "visit", process: VISITOR, forMs: FOREVER_MS };
const publisherLate = (forMs: number): Fault => ({
  atMs: 7_500,
  what: "registry late",
  process: "message-0",
  forMs,
});

/** The push server hears late of an instance that joins, and it answers last; meanwhile the publisher asks it. */
const joinUnheard = history(
  [8_500, 16_000],
  { atMs: 7_500, what: "registry late", process: "push-0", forMs: 10_000 },
  { atMs: 7_500, what: "links slow", process: "push-0", other: VISITOR, forMs: 25_000 },
  joins,
);

/** An instance joins, is not reached by the push server, and leaves: topics come back to where they are still held. */
const visitUnreached = history(
  [7_900, 10_200],
  { atMs: 7_500, what: "links silent", process: "push-0", other: VISITOR, forMs: 14_000 },
  { atMs: 7_550, what: "visit", process: VISITOR, forMs: 2_800 },
);

/** Topics move away from an instance that cannot be told so, and the publisher still asks it. */
const untoldOwner = history(
  [8_500, 16_500],
  publisherLate(10_000),
  { atMs: 7_500, what: "apart", process: "push-0", other: "channel-0", forMs: 19_000 },
  joins,
);

/** The old owner broadcasts on a link that is dead, and goes before it is seen to be, and before the publisher asks the new one. */
const goneBeforeRepair = history(
  [8_500, 15_000],
  publisherLate(9_500),
  joins,
  { atMs: 8_000, what: "links silent", process: "push-0", other: "channel-0", forMs: 12_000 },
  { atMs: 16_200, what: "crash", process: "channel-0", forMs: 4_000 },
);

/** As untoldOwner, but it was told, and has forgotten it with its lease. */
const leaseLostUntold = history(
  [11_500, 16_500],
  publisherLate(10_000),
  joins,
  { atMs: 8_300, what: "apart", process: "push-0", other: "channel-0", forMs: 18_000 },
  { atMs: 8_700, what: "lease lost", process: "channel-0", forMs: 0 },
);

/** The shortest histories in which the broken variants of the hand-off leave a hole, each by several ways at once. */
export const SHORTEST_HISTORIES: Readonly<Record<string, Plan>> = {
  "there is no repair": goneBeforeRepair,
  "repair stops at broadcast": goneBeforeRepair,
  "marked topics are not compared again": untoldOwner,
  "acknowledgements are not waited for": untoldOwner,
  "only opened topics are marked, not moved ones": untoldOwner,
  /** The publisher still asks the old owner, which knows better. */
  "there are no numbers": history([8_500, 16_500], publisherLate(10_000), joins),
  "an instance forgets its own number": leaseLostUntold,
  /** An instance comes and goes while the push server does not reach the registry. */
  "a hidden registration is ignored": history(
    [8_200, 11_300],
    { atMs: 7_500, what: "registry unreached", process: "push-0", forMs: 8_000 },
    { atMs: 7_510, what: "watch cut", process: "push-0", forMs: 0 },
    { atMs: 7_600, what: "visit", process: VISITOR, forMs: 4_000 },
  ),
  "a move is not compared": joinUnheard,
  "a move back is not compared": visitUnreached,
  /** The publisher does not hear that an instance leaves, and asks it until it is gone. */
  "exact is said while leaving": history([8_200, 9_400], publisherLate(2_800), {
    atMs: 8_000,
    what: "leave",
    process: "channel-0",
    forMs: FOREVER_MS,
  }),
  /** An instance does not hear that its lease is gone, nor does the publisher. */
  "there is no lease deadline": history([18_500, 24_000], publisherLate(FOREVER_MS), {
    atMs: 7_600,
    what: "registry unreached",
    process: "channel-0",
    forMs: FOREVER_MS,
  }),
  "the incarnation stays when the lease was lost": leaseLostUntold,
  /** An instance has no lease for a while, and the push server hears nothing of it but that its link ends. */
  "links are kept when the lease was lost": history(
    [17_700, 20_400],
    { atMs: 7_500, what: "registry late", process: "push-0", forMs: FOREVER_MS },
    { atMs: 7_600, what: "registry unreached", process: "channel-0", forMs: 13_000 },
  ),
};
