import type { Scenario } from "../scenario.ts";
import { userNames } from "./pairs.ts";

// The numbers of `direct`, so that the two differ in the client alone.
const CLIENTS = 100;
const IN_FLIGHT = 8;
const TEXT_BYTES = 100;
const AT_ONCE = 16;

/** As `direct`, with clients that others write: what they cost beside the load there, which is made to cost little. */
export const directGo: Scenario = {
  name: "direct-go",
  about:
    `As \`direct\`, by ${CLIENTS} clients in Go: grpc-go as it comes, a TCP connection with its own flow control each, ` +
    "every event decoded. It takes most of two cores itself, so messages/s say less of the server than its CPU each. " +
    "Every client must get every seq of its thread once and without a hole, and messages in the order of their sender.",
  isDurable: true,
  run: async (stage) => {
    const load = await stage.goLoad();
    const server = await stage.server();
    const users = await server.signIn(userNames(CLIENTS));
    await load.connect({ grpcUrl: server.grpcUrl, users, atOnce: AT_ONCE });
    await load.pair(TEXT_BYTES);
    stage.progress(`${CLIENTS} clients connected`);
    await load.startWindow(IN_FLIGHT);
    stage.progress("full load");
    const { perSecond, cpuUs, othersCores } = await stage.window(server, load);
    const { arrived } = await load.latencies();
    await load.stop();
    const params = {
      clients: CLIENTS,
      in_flight: IN_FLIGHT,
      text_bytes: TEXT_BYTES,
      latency: "to the recipient",
      others_cores: othersCores,
    };
    const figure = { bench: "direct-go", unit: "messages/s", value: perSecond, ...arrived };
    return [{ ...figure, server_cpu_us_per_delivery: cpuUs, params }];
  },
};
