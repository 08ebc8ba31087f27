import { IDLE_STREAMS, MEASURED, RULES } from "./constants.ts";

/** What happens in the busiest second, and how many streams are open then. */
export interface Peak {
  readonly messages: number;
  /** Streams that messages go to: every member but the sender, as if all were online. */
  readonly deliveries: number;
  readonly opens: number;
  /** Changes of presence that watchers are shown: a user who comes, and one who goes, to each watcher. */
  readonly presenceChanges: number;
  readonly streams: number;
}

/** How much work of one kind there is, in cores of the busiest second, and which programs do it. */
export interface Work {
  readonly what: string;
  readonly cores: Readonly<Partial<Record<Program, number>>>;
}

/** The programs whose number follows the load. */
export const PROGRAMS = ["push", "message", "channel", "presence", "thread", "gateway"] as const;
export type Program = (typeof PROGRAMS)[number];

/** CPU of the busiest second by kind of work, the greatest first. */
export function workOf(peak: Peak): Work[] {
  const { messages, deliveries, opens, presenceChanges, streams } = peak;
  const { direct, append, delivery, link, connect, presence, idle } = MEASURED;
  const cores = (count: number, us: number) => (count * us) / 1e6;
  const end = link.value / 2;
  const works: Work[] = [
    {
      // A message crosses push → message → channel; what push does beyond the append includes its first delivery.
      what: "messages",
      cores: {
        push: cores(messages, direct.value - append.value + end),
        message: cores(messages, append.value + RULES.storeCall.value + 2 * end),
        channel: cores(messages, end),
      },
    },
    {
      // Channel → push for each, and the work for all beyond the first.
      what: "deliveries",
      cores: {
        push: cores(deliveries, end) + cores(Math.max(0, deliveries - messages), delivery.value),
        channel: cores(deliveries, end),
      },
    },
    {
      // Measured in one process: a third each for the ticket, the stream, and the sync that follows.
      what: "users who come",
      cores: {
        gateway: cores(opens, connect.value / 3),
        push: cores(opens, connect.value / 3),
        thread: cores(opens, connect.value / 3),
      },
    },
    { what: "presence", cores: { presence: cores(presenceChanges, presence.value) } },
    { what: "open streams", cores: { push: (streams * idle.value) / 100 / IDLE_STREAMS } },
  ];
  return works.toSorted((a, b) => coresOf(b) - coresOf(a));
}

/** All cores of a kind of work. */
export function coresOf({ cores }: Work): number {
  return Object.values(cores).reduce((sum, one) => sum + one, 0);
}

/** Instances of each program: one has one core, busy to RULES.busy; two at least, so that one may die. */
export function instancesOf(works: readonly Work[]): Record<Program, number> {
  const of = (program: Program) => {
    const cores = works.reduce((sum, work) => sum + (work.cores[program] ?? 0), 0);
    return Math.max(2, Math.ceil(cores / RULES.busy.value));
  };
  return {
    push: of("push"),
    message: of("message"),
    channel: of("channel"),
    presence: of("presence"),
    thread: of("thread"),
    gateway: of("gateway"),
  };
}

/** Connections that are open at the peak. */
export interface Connections {
  /** Of clients, at the edge. */
  readonly clients: number;
  /** Between programs: each pair that talks has one. */
  readonly links: number;
  /** Links of one push server, the most that a program dials. */
  readonly linksOfAPush: number;
  readonly sql: number;
  /** Of message programs to region servers. */
  readonly hbase: number;
}

/** Who talks to which stands in docs/design.md and ARCHITECTURE.md; SQL is read by all that keep or ask rows. */
export function connectionsOf(
  { push, message, channel, presence, thread, gateway }: Record<Program, number>,
  streams: number,
  regionServers: number,
): Connections {
  const linksOfAPush = message + channel + presence;
  return {
    clients: streams,
    links:
      push * linksOfAPush +
      (message + thread) * (channel + presence) +
      thread * message +
      presence * (presence - 1),
    linksOfAPush,
    sql: (message + thread + presence + gateway) * RULES.sqlPool.value,
    hbase: message * regionServers,
  };
}
