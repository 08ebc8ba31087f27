import { Latencies } from "../load/counts/latency.ts";
import type { Scenario } from "../scenario.ts";
import { userNames } from "./pairs.ts";

// Each user has one device, and connects again and again: devices are not what grows.
const USERS = 1_000;
// Under way at a time: a rate at full load, whose latency tells how long they wait for each other.
const AT_ONCE = 16;

/** What a storm of reconnecting clients costs. */
export const connect: Scenario = {
  name: "connect",
  about:
    `Connects at full load, ${AT_ONCE} under way at a time: dial TCP, OpenSession, Connect, \`open\`, until ` +
    "`caught_up`, then close. Users without threads; CPU per connect.",
  isDurable: true,
  run: async (stage) => {
    const server = await stage.server();
    const users = await server.signIn(userNames(USERS));
    const load = stage.load("connect");
    await load.start({ grpcUrl: server.grpcUrl, users, atOnce: AT_ONCE });
    stage.progress(`${AT_ONCE} at a time`);
    const { perSecond, cpuUs, othersCores } = await stage.window(server, load);
    const latencies = new Latencies(await load.latencies());
    await load.stop();
    return [
      {
        bench: "connect",
        unit: "connects/s",
        value: perSecond,
        ...latencies.percentiles(),
        server_cpu_us_per_delivery: cpuUs,
        params: { at_once: AT_ONCE, users: USERS, others_cores: othersCores },
      },
    ];
  },
};
