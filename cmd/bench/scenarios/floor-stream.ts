import type { Figure } from "../figures/record.ts";
import { Latencies } from "../load/counts/latency.ts";
import type { EchoLoad } from "../load/kinds/echo-load.ts";
import type { EchoServer } from "../load/kinds/echo-server.ts";
import type { Remote } from "../loads/load-process.ts";
import { paceOf } from "../scale.ts";
import type { Scenario, Stage } from "../scenario.ts";

const CONNECTIONS = 100;
const IN_FLIGHT = 8;
// About a send of 100 bytes of text with its ids.
const FRAME_BYTES = 150;

/** The bare server with the load on it. */
interface Echo {
  readonly server: Remote<EchoServer>;
  readonly load: Remote<EchoLoad>;
}

/** What gRPC alone costs here: one frame in, one frame out. A delivered message has one in and two out, and acks. */
export const floorStream: Scenario = {
  name: "floor-stream",
  about:
    `gRPC's floor: a bare grpc-js server echoes frames of ${FRAME_BYTES} bytes to the same load over ${CONNECTIONS} ` +
    `connections, first at full load with ${IN_FLIGHT} frames each under way, then by the schedules of scenario ` +
    "`latency`. One frame in and one out per echo; CPU per echo.",
  run: async (stage) => {
    const server = stage.load("echo-server");
    const load = stage.load("echo");
    await load.connect({ url: await server.start(), connections: CONNECTIONS, frameBytes: FRAME_BYTES });
    const echo: Echo = { server, load };
    const figures = [await fullLoad(stage, echo)];
    for (const rate of stage.scale.rates) figures.push(await atRate(stage, echo, rate));
    return figures;
  },
};

/** The figure at saturation, for CPU per frame. */
async function fullLoad(stage: Stage, { server, load }: Echo): Promise<Figure> {
  await load.startWindow(IN_FLIGHT);
  const { perSecond, cpuUs, othersCores } = await stage.window({ usage: () => server.usage() }, load);
  const latencies = new Latencies(await load.latencies());
  await load.stop();
  return {
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
  };
}

/** The figure by a schedule, for latency: what a delivery's is compared with on the page. */
async function atRate(stage: Stage, { server, load }: Echo, rate: number): Promise<Figure> {
  stage.progress(`${rate} echoes/s`);
  await load.startRate(paceOf(stage.scale, rate));
  const { cpuUs, othersCores } = await stage.window({ usage: () => server.usage() }, load);
  const percentiles = new Latencies(await load.latencies()).percentiles();
  await load.stop();
  return {
    bench: "floor-stream.echoed",
    unit: "ms",
    value: percentiles.p50_ms,
    ...percentiles,
    server_cpu_us_per_delivery: cpuUs,
    params: {
      rate_per_s: rate,
      connections: CONNECTIONS,
      frame_bytes: FRAME_BYTES,
      others_cores: othersCores,
    },
  };
}
