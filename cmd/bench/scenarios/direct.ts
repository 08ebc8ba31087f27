import { Latencies } from "../load/counts/latency.ts";
import type { Scenario } from "../scenario.ts";
import { connectPairs } from "./pairs.ts";

// As in `direct-go`, `latency` and `floor-stream`, so that their figures can be set side by side.
const CLIENTS = 100;
// Far below a session's credit, so that no send waits for an ack of the client.
const IN_FLIGHT = 8;
const TEXT_BYTES = 100;

/** Full load. A closed window, so its latencies are those at saturation: `latency` has those at a given rate. */
export const direct: Scenario = {
  name: "direct",
  about:
    `Durable 1:1 messages at full load: ${CLIENTS} clients in ${CLIENTS / 2} pairs, each with ${IN_FLIGHT} sends ` +
    "under way (the next follows an `accepted`), one TCP connection each. Counted: entries that came to the " +
    "recipient. Each cost a durable append, an `accepted`, an `entry`, and its share of acks and delivered receipts.",
  isDurable: true,
  run: async (stage) => {
    const { server, load } = await connectPairs(stage, { clients: CLIENTS, textBytes: TEXT_BYTES });
    await load.startWindow(IN_FLIGHT);
    stage.progress("full load");
    const { perSecond, cpuUs, othersCores } = await stage.window(server, load);
    const latencies = new Latencies((await load.latencies()).arrived);
    await load.stop();
    return [
      {
        bench: "direct",
        unit: "messages/s",
        value: perSecond,
        ...latencies.percentiles(),
        server_cpu_us_per_delivery: cpuUs,
        params: {
          clients: CLIENTS,
          in_flight: IN_FLIGHT,
          text_bytes: TEXT_BYTES,
          latency: "to the recipient",
          others_cores: othersCores,
        },
      },
    ];
  },
};
