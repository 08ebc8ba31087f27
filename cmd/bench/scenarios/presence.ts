import type { Figure } from "../figures/record.ts";
import { Latencies } from "../load/counts/latency.ts";
import type { Scenario } from "../scenario.ts";
import { userNames } from "./pairs.ts";

const MOVES_PER_SECOND = 50;
// Some to a connection, so that a storm of 200 clients is not one of TCP handshakes.
const STREAMS_A_CONNECTION = 25;
const AT_ONCE = 64;

/** What docs/design.md, section 8 promises: a stay or gap is shown after the delay, and by the bound. */
const ONLINE = { delay_ms: 3_000, bound_ms: 5_000 };
const OFFLINE = { delay_ms: 10_000, bound_ms: 40_000 };

/** Everybody comes, then half of them go while the others flap. */
export const presence: Scenario = {
  name: "presence",
  about:
    `A storm: users, each watched by all watchers, come by a schedule of ${MOVES_PER_SECOND} a second; then every ` +
    "second one leaves while the others leave and are back at once, which nobody may hear of. Counted: changes that " +
    "came to watchers, from the moment the coming or going was due, the delay of the design included. CPU per change " +
    "includes the connects of those who come or flap. Each pair has a direct thread, so each user who comes syncs them.",
  run: async (stage) => {
    const { users, watchers } = stage.scale.presence;
    const server = await stage.server();
    const load = stage.load("presence");
    await load.begin({
      grpcUrl: server.grpcUrl,
      // Signed in before it begins: tokens are no part of a storm.
      users: await server.signIn(userNames(users)),
      watchers: await server.signIn(userNames(watchers, "w")),
      atOnce: AT_ONCE,
      streamsAConnection: STREAMS_A_CONNECTION,
    });
    stage.progress(`${watchers} watch ${users} users each`);
    // One figure for each direction: their delays differ by design.
    const wave = async (
      bench: string,
      move: () => Promise<void>,
      promise: typeof ONLINE,
    ): Promise<Figure> => {
      const { cpuUs, othersCores } = await stage.measure(server, load, move);
      const latencies = new Latencies(await load.latencies());
      const percentiles = latencies.percentiles();
      return {
        bench,
        unit: "ms",
        value: percentiles.p50_ms,
        ...percentiles,
        server_cpu_us_per_delivery: cpuUs,
        params: { users, watchers, changes: latencies.count, ...promise, others_cores: othersCores },
      };
    };
    const online = await wave("presence.online", () => load.come(MOVES_PER_SECOND), ONLINE);
    const offline = await wave("presence.offline", () => load.leave(MOVES_PER_SECOND), OFFLINE);
    return [online, offline];
  },
};
