import type { LoadKinds } from "../load/main.ts";
import type { Remote } from "../loads/load-process.ts";
import type { MeasuredLoad, Scenario, Stage } from "../scenario.ts";
import { passed } from "../scenario.ts";
import type { ServerProcess } from "../server/server-process.ts";
import type { ServerUsage } from "../server/server-usage.ts";
import { AT_ONCE, connectInSteps } from "./connect-steps.ts";
import { userNames } from "./pairs.ts";

/** Streams that a load process holds: its own memory and open files bound them. */
const STREAMS_A_PROCESS = 2_500;

/** The machine may be busy, and connects cost more than anything else. */
const LIMIT_MS = 600_000;

/** Connected and gone before the first reading, so that what is loaded once does not count for the streams. */
const WARM_UP_STREAMS = 50;

/** Settled: two readings this far apart differ by less than SETTLED_SHARE. */
const SETTLE_STEP_MS = 1_500;
const SETTLED_SHARE = 0.005;
const SETTLE_STEPS = 6;

/** Memory of streams that only ping. */
export const idle: Scenario = {
  name: "idle",
  about:
    "Memory of idle streams: the server's resident memory with all of them, less that with none, each after full " +
    "garbage collections until it no longer moves. Each has its own TCP connection, user and session, and pings " +
    "every 15 s.",
  limitMs: LIMIT_MS,
  run: async (stage) => {
    const server = await stage.server({ inspect: true });
    const streams = stage.scale.idleStreams;
    await warmUp(stage, server);
    // The order matters: a server's memory rarely shrinks, so "none" is read before the first stream.
    const none = await settled(stage, server);
    const loads = await connectAll(stage, server, streams);
    const full = await settled(stage, server);
    const { serverCores, othersCores } = await stage.measure(server, all(loads), () =>
      passed(stage.scale.windowMs),
    );
    const kb = (pick: (usage: ServerUsage) => number) => (pick(full) - pick(none)) / 1_024 / streams;
    const rss = kb(({ rssBytes }) => rssBytes);
    const params = { streams, load_processes: loads.length };
    return [
      { bench: "idle", unit: "KiB/stream", value: rss, rss_kb_per_stream: rss, params },
      { bench: "idle.heap", unit: "KiB/stream", value: kb(({ heapBytes }) => heapBytes), params },
      {
        bench: "idle.cpu",
        unit: "% of a core",
        value: serverCores * 100,
        params: { ...params, others_cores: othersCores },
      },
    ];
  },
};

/** Connects a few and lets them go, so that code and caches that all streams share are there. */
async function warmUp(stage: Stage, server: ServerProcess): Promise<void> {
  const users = await server.signIn(userNames(WARM_UP_STREAMS, "w"));
  const load = stage.load("idle");
  await load.connect({ grpcUrl: server.grpcUrl, users, atOnce: AT_ONCE });
  await load.close();
  // For the server to notice that they have gone.
  await passed(500);
}

/** One process after the other: together they would only take CPU from each other and from the server. */
async function connectAll(stage: Stage, server: ServerProcess, streams: number) {
  const loads: Remote<LoadKinds["idle"]>[] = [];
  await connectInSteps(stage, server, userNames(streams), async (users, before) => {
    if (before % STREAMS_A_PROCESS === 0) loads.push(stage.load("idle"));
    await loads.at(-1)?.connect({ grpcUrl: server.grpcUrl, users, atOnce: AT_ONCE });
  });
  return loads;
}

/** What they do is to be there. Throws if a stream was lost. */
function all(loads: readonly Remote<LoadKinds["idle"]>[]): MeasuredLoad {
  return {
    done: async () =>
      (await Promise.all(loads.map((load) => load.count()))).reduce((sum, count) => sum + count),
    resetLatencies: async () => {},
  };
}

/** Memory when it no longer moves, everything that can be collected having been collected. */
async function settled(stage: Stage, server: ServerProcess): Promise<ServerUsage> {
  let last = await collected(server);
  for (let step = 0; step < SETTLE_STEPS; step++) {
    await passed(Math.min(SETTLE_STEP_MS, stage.scale.windowMs));
    const now = await collected(server);
    if (Math.abs(now.rssBytes - last.rssBytes) <= last.rssBytes * SETTLED_SHARE) return now;
    last = now;
  }
  return last;
}

async function collected(server: ServerProcess): Promise<ServerUsage> {
  await server.inspector?.collectGarbage();
  return await server.usage();
}
