import { Latencies } from "../load/latency.ts";
import type { Scenario } from "../scenario.ts";

const CONNECTIONS = 100;
const IN_FLIGHT = 8;
const FRAME_BYTES = 150;

/** What gRPC alone costs here: one frame in, one frame out. A delivered message has one in and two out, and acks. */
export const floorStream: Scenario = {
  name: "floor-stream",
  about:
    `gRPC's floor: a bare grpc-js server echoes frames of ${FRAME_BYTES} bytes to the same load: ${CONNECTIONS} ` +
    `connections, ${IN_FLIGHT} frames each under way. One frame in and one out per echo; CPU per echo.`,
  run: async (stage) => {
    const server = stage.load("echo-server");
    const load = stage.load("echo");
    const url = await server.start();
    const options = { connections: CONNECTIONS, inFlight: IN_FLIGHT, frameBytes: FRAME_BYTES };
    await load.start({ url, ...options });
    const { perSecond, cpuUs, othersCores } = await stage.window({ usage: () => server.usage() }, load);
    const latencies = new Latencies(await load.latencies());
    await load.stop();
    return [
      {
        bench: "floor-stream",
        unit: "echoes/s",
        value: perSecond,
        ...latencies.percentiles(),
        server_cpu_us_per_delivery: cpuUs,
        params: {
          connections: CONNECTIONS,
          in_flight: IN_FLIGHT,
          frame_bytes: FRAME_BYTES,
          others_cores: othersCores,
        },
      },
    ];
  },
};
