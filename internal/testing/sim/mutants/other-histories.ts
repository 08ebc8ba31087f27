import type { Plan, PlanStep } from "../plan/plan.ts";

/** A history in which a broken variant shows, and the breach by which it does. */
export interface OtherHistory {
  readonly plan: Plan;
  readonly breach: RegExp;
}

const PROCESSES = ["channel-0", "message-0", "thread-0", "presence-0", "push-0", "gateway-0"];

/** u0, and those that it chats with: each on one device, in the order of their threads. All are in one group. */
const USERS = [0, 1, 7, 10, 5, 9];
const PEERS = USERS.slice(1);
const GROUP = PEERS.length;

interface Told {
  readonly seed?: string;
  readonly calmMs: number;
  /** Processes besides one of each. */
  readonly more?: readonly string[];
}

/** u0 writes to everybody at 6 s; then comes what is told. */
function history({ seed = "1", calmMs, more = [] }: Told, ...told: readonly (readonly PlanStep[])[]): Plan {
  const steps = [writes(6_000), ...told].flat();
  return {
    seed,
    users: 1 + Math.max(...USERS),
    devices: USERS,
    threads: [...PEERS.map((peer) => [0, peer]), USERS],
    processes: [...PROCESSES, ...more],
    theme: "all",
    calms: [calmMs],
    steps: steps.sort((a, b) => a.atMs - b.atMs),
  };
}

/** u0 writes to everybody, one after the other. */
function writes(atMs: number, everyMs = 200): PlanStep[] {
  return PEERS.map((_, thread) => ({
    atMs: atMs + everyMs * thread,
    what: "write",
    device: 0,
    thread,
    text: `text ${thread} of ${atMs}`,
  }));
}

function blocks(atMs: number): PlanStep[] {
  return PEERS.map((peer, at) => ({ atMs: atMs + 50 * at, what: "block", device: 0, peer }));
}

/** Everybody but u0 writes to u0, over and over. */
function answers(fromMs: number, times: number, everyMs: number): PlanStep[] {
  return Array.from({ length: times }, (_, time) =>
    PEERS.map((_, thread): PlanStep => {
      const text = `answer ${time} of ${thread}, ${fromMs}`;
      return { atMs: fromMs + everyMs * time + 6 * thread, what: "write", device: thread + 1, thread, text };
    }),
  ).flat();
}

/** Everybody but u0 does so, each in its own thread. */
function each(atMs: number, what: "read" | "type"): PlanStep[] {
  return PEERS.map((_, thread) => ({ atMs, what, device: thread + 1, thread }));
}

/** Everybody but u0 is away for so long; 0: its connection breaks. */
function away(atMs: number, forMs: number): PlanStep[] {
  return PEERS.map((_, at) => ({ atMs, what: forMs > 0 ? "offline" : "cut", device: at + 1, forMs }));
}

/** The short histories in which broken variants show that are none of the hand-off. */
export const OTHER_HISTORIES: Readonly<Record<string, OtherHistory>> = {
  /** One of two thread servers is gone when many come back: it is asked which groups they are in. */
  "an error of the transport is passed on as the service's": {
    breach: /^5: .* in the calm/m,
    plan: history(
      { calmMs: 60_000, more: ["thread-1"] },
      [{ atMs: 8_500, what: "crash", process: "thread-1", forMs: 3_000 }],
      away(9_000, 0),
      [{ atMs: 25_000, what: "write", device: 0, thread: GROUP, text: "to all" }],
    ),
  },
  /** Much is written at a time, over a link that is slow. */
  "a link skips on when it is full": {
    breach: /^5: .* in the calm/m,
    plan: history(
      { calmMs: 42_000 },
      [{ atMs: 12_100, what: "links slow", process: "push-0", other: "channel-0", forMs: 5_000 }],
      writes(13_000, 20),
      writes(13_005, 20),
    ),
  },
  /**
   * u0 blocks through another server, while the threads' own is not reached; of a stream that begins later no push server
   * remembers the blocks. Half a minute later what the others read and type must not come.
   */
  "a view is never refreshed": {
    breach: /^9: .* was told of a receipt of .*, with a block between them/m,
    plan: history(
      { calmMs: 70_000, more: ["message-1"] },
      writes(7_000),
      ["push-0", "thread-0"].map((process) => ({
        atMs: 8_500,
        what: "apart",
        process,
        other: "message-1",
        forMs: 4_000,
      })),
      blocks(9_000),
      [{ atMs: 14_000, what: "cut", device: 0, forMs: 0 }],
      each(46_000, "read"),
      each(47_000, "type"),
    ),
  },
  /**
   * u0 blocks all: the rows hold it, and the epochs cannot be raised yet. A message server whose try takes effect late says
   * UNAVAILABLE, slowly, and the other, which reads the rows now, refuses what the first one is still to commit.
   */
  "attempt is not raised on a resend": {
    breach: /^4: .* was said to have failed, and is there/m,
    plan: history(
      { seed: "30", calmMs: 45_000, more: ["message-1"] },
      answers(19_000, 1, 0),
      ["message-0", "message-1"].flatMap((other): PlanStep[] => [
        { atMs: 20_000, what: "links slow", process: "push-0", other, forMs: 3_000 },
        { atMs: 20_300, what: "links silent", process: "thread-0", other, forMs: 9_000 },
      ]),
      answers(20_300, 10, 30),
      blocks(20_400),
      [{ atMs: 20_600, what: "logs away", forMs: 150 }],
    ),
  },
  /** A presence instance leaves, to which a push server listens for longer; meanwhile u0 blocks. */
  "who leaves unregisters first": {
    breach: /^9: .* still shows .* as online, who may not be seen/m,
    plan: history({ calmMs: 42_000, more: ["presence-1"] }, each(7_500, "read"), [
      { atMs: 12_100, what: "registry late", process: "push-0", forMs: 100_000 },
      { atMs: 13_000, what: "leave", process: "presence-0", forMs: 100_000 },
      ...blocks(13_100),
    ]),
  },
  /** A sync after the touch of a thread's first entry has aged, and all is read: then an entry comes while all are away. */
  "a touch in three is not written": {
    breach: /^5: .* knows .* after a sync/m,
    plan: history(
      { calmMs: 115_000 },
      each(8_500, "read"),
      away(70_000, 0),
      away(76_000, 4_000),
      writes(77_000),
    ),
  },
  /** message-0 is 35 s slow: it takes its touch for one in force that is over for the rows. */
  "a touch is of the process's clock": {
    breach: /^5: .* knows .* after a sync/m,
    plan: history(
      { seed: "6", calmMs: 147_000 },
      writes(75_000),
      each(90_000, "read"),
      away(102_000, 0),
      away(108_000, 4_000),
      writes(109_500),
    ),
  },
};
