import type { Seen } from "../../sim/judge/history.ts";
import type { Fault } from "./fault.ts";
import type { Ground } from "./ground.ts";

/** A program that was killed is away for so long, in ms. */
const AWAY_MS = 3_000;

/** A pause that every lease runs out in, in ms. */
const PAUSE_MS = 30_000;

/** Faults of Heddle's own programs. */
export const programFaults: readonly Fault[] = [
  killedPush("push-1"),
  killed("message", "message-1"),
  killed("channel", "channel-1"),
  killed("presence", "presence-1"),
  killed("thread", "thread-1"),
  paused("message-1"),
  paused("channel-1"),
  paused("presence-1"),
  {
    title: "all programs are restarted, one by one",
    befall: async (ground) => {
      for (const { name } of ground.mesh.programs.plans.values()) await ground.restart(name);
    },
    bites: async ({ crowd }) => ({ "devices that moved": broken(crowd.history).size }),
  },
];

/** Others notice one that is gone by its links, or its lease: what it had registered is registered anew. */
function killed(service: string, name: string): Fault {
  let before = 0;
  return {
    title: `a ${service} server is killed`,
    befall: async (ground) => {
      before = await startedMs(ground, name);
      await ground.kill(name, AWAY_MS);
    },
    bites: async (ground) => ({ "later start": (await startedMs(ground, name)) - before }),
  };
}

/** A process that stood still for longer than its lease has lost it, and registers anew. */
function paused(name: string): Fault {
  const lost = (ground: Ground) => ground.metric(name, "heddle_registry_leases_lost_total");
  let before = 0;
  return {
    title: `${name} stands still for 30 s`,
    befall: async (ground) => {
      before = await lost(ground);
      await ground.pause(name, PAUSE_MS);
    },
    bites: async (ground) => ({ "leases lost": (await lost(ground)) - before }),
  };
}

/** Its streams break, and those who had them come back elsewhere. */
function killedPush(name: string): Fault {
  let had: readonly string[] = [];
  return {
    title: "a push server is killed",
    befall: async (ground) => {
      had = ground.crowd.devices.filter((device) => device.isAt(name)).map((device) => device.name);
      await ground.kill(name, AWAY_MS);
    },
    bites: async ({ crowd }) => {
      const lost = broken(crowd.history);
      return { "devices whose stream broke": had.filter((device) => lost.has(device)).length };
    },
  };
}

function startedMs(ground: Ground, name: string): Promise<number> {
  return ground.metric(name, "process_start_time_seconds");
}

/** Devices that were connected and then were not. */
export function broken(history: readonly Seen[]): ReadonlySet<string> {
  const lines = history.filter((seen) => seen.type === "phase" && seen.phase !== "live");
  return new Set(lines.map(({ device }) => device));
}
