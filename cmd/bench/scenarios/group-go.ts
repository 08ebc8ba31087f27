import type { Figure } from "../figures/record.ts";
import type { Scenario } from "../scenario.ts";
import { AT_ONCE, connectInSteps } from "./connect-steps.ts";
import { LIMIT_MS, makeGroups, measureGroup, POSTERS } from "./group.ts";
import { userNames } from "./pairs.ts";

/** Each member costs the load itself about 0.1 MB. */
const MAX_MEMBERS = 1_000;

/** As `group`, with clients that others write, each on a connection of its own, as without a proxy before the server. */
export const groupGo: Scenario = {
  name: "group-go",
  about:
    `As \`group\`, up to ${MAX_MEMBERS.toLocaleString("en-US")} members, each a client in Go: grpc-go as it comes, a TCP ` +
    `connection with its own flow control each, every event decoded; ${POSTERS} of them post in turn by a schedule. ` +
    "Every member must get every seq once and without a hole, and posts in the order of their sender.",
  isDurable: true,
  limitMs: LIMIT_MS,
  run: async (stage) => {
    const load = await stage.goLoad();
    const server = await stage.server();
    // Larger groups would measure the load's own memory and scheduler.
    const scales = stage.scale.groups.filter(({ members }) => members <= MAX_MEMBERS);
    const names = userNames(Math.max(...scales.map(({ members }) => members)));
    const groups = await makeGroups(stage, server, stage.load("group"), names, scales);
    const figures: Figure[] = [];
    // Members of a smaller group are members of the larger one too, so they stay connected.
    let connected = 0;
    for (const group of groups) {
      await connectInSteps(stage, server, names.slice(connected, group.members), (users) =>
        load.connect({ grpcUrl: server.grpcUrl, users, atOnce: AT_ONCE }),
      );
      connected = group.members;
      figures.push(...(await measureGroup("group-go", stage, server, load, group)));
    }
    return figures;
  },
};
