import { Latencies } from "../load/counts/latency.ts";
import { passed, type Scenario, type Stage } from "../scenario.ts";
import { connectPairs, type Pairs } from "./pairs.ts";

const THREADS = 16;
const PAGE_SIZE = 50;
const IN_FLIGHT = 2;
const TEXT_BYTES = 100;

/** Every thread gets at least so many pages of history, within FILL_STEPS steps of FILL_STEP_MS. */
const PAGES_A_THREAD = 10;
const FILL_STEP_MS = 250;
const FILL_STEPS = 120;

/**
 * Reading back: what a person does who scrolls up. The entries were just written, so pages come from the store's caches
 * as for a recent conversation.
 */
export const history: Scenario = {
  name: "history",
  about:
    `Pages of ${PAGE_SIZE} entries by ListEntries at random places of ${THREADS} threads, at full load: ` +
    `${THREADS} readers, ${IN_FLIGHT} calls each under way, one TCP connection each; CPU per page.`,
  run: async (stage) => {
    const pairs = await connectPairs(stage, { clients: 2 * THREADS, textBytes: TEXT_BYTES });
    const threads = await fill(stage, pairs);
    const load = stage.load("history");
    const { grpcUrl } = pairs.server;
    await load.start({ grpcUrl, threads, pageSize: PAGE_SIZE, inFlight: IN_FLIGHT });
    const { perSecond, cpuUs, othersCores } = await stage.window(pairs.server, load);
    const latencies = new Latencies(await load.latencies());
    await load.stop();
    return [
      {
        bench: "history",
        unit: "pages/s",
        value: perSecond,
        ...latencies.percentiles(),
        server_cpu_us_per_delivery: cpuUs,
        params: {
          page_size: PAGE_SIZE,
          readers: THREADS,
          in_flight: IN_FLIGHT,
          text_bytes: TEXT_BYTES,
          others_cores: othersCores,
        },
      },
    ];
  },
};

/** Writes history at full load until every thread has enough. Resolves to the threads with a member's token each. */
async function fill(stage: Stage, { load, users }: Pairs) {
  await load.startWindow(8);
  let heads = await load.heads();
  for (let step = 0; step < FILL_STEPS; step++) {
    await passed(FILL_STEP_MS);
    heads = await load.heads();
    if (heads.every(({ seq }) => seq >= PAGES_A_THREAD * PAGE_SIZE)) break;
  }
  const { sent } = await load.stop();
  heads = await load.heads();
  stage.progress(`${sent} entries written`);
  const tokens = new Map(users.map(({ userId, token }) => [userId, token]));
  return heads.map(({ userId, threadId, seq }) => ({ token: tokens.get(userId) ?? "", threadId, seq }));
}
