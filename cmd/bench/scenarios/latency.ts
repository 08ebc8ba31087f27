import type { Figure } from "../figures/record.ts";
import { Latencies } from "../load/counts/latency.ts";
import { paceOf } from "../scale.ts";
import type { Scenario, Stage } from "../scenario.ts";
import { connectPairs, type Pairs } from "./pairs.ts";

// As in `direct`. Turns go round, so that each client sends a hundredth of the rate.
const CLIENTS = 100;
const TEXT_BYTES = 100;

/** Open loop: a stall counts for every message that was due meanwhile. */
export const latency: Scenario = {
  name: "latency",
  about:
    `Durable 1:1 messages by a schedule, ${CLIENTS} clients taking turns. Latency counts from the moment a send was ` +
    "due, to the entry at the recipient and to `accepted` at the sender.",
  isDurable: true,
  run: async (stage) => {
    const pairs = await connectPairs(stage, { clients: CLIENTS, textBytes: TEXT_BYTES });
    const figures: Figure[] = [];
    for (const rate of stage.scale.rates) figures.push(...(await measure(stage, pairs, rate)));
    return figures;
  },
};

/** One rate, for one window: two figures of the same sends. */
async function measure(stage: Stage, { server, load }: Pairs, rate: number): Promise<Figure[]> {
  stage.progress(`${rate} messages/s`);
  await load.startRate(paceOf(stage.scale, rate));
  const { cpuUs, othersCores } = await stage.window(server, load);
  const latencies = await load.latencies();
  await load.stop();
  const params = { rate_per_s: rate, clients: CLIENTS, text_bytes: TEXT_BYTES, others_cores: othersCores };
  const figure = (what: "arrived" | "accepted", to: string): Figure => {
    const percentiles = new Latencies(latencies[what]).percentiles();
    return {
      bench: `latency.${what}`,
      unit: "ms",
      value: percentiles.p50_ms,
      ...percentiles,
      params: { ...params, latency: to },
    };
  };
  return [
    { ...figure("arrived", "to the recipient"), server_cpu_us_per_delivery: cpuUs },
    figure("accepted", "to accepted"),
  ];
}
