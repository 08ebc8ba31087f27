import { Latencies } from "../load/latency.ts";
import type { LoadKinds } from "../load/main.ts";
import type { Remote } from "../load-process.ts";
import type { Figure } from "../record.ts";
import { type GroupScale, paceOf } from "../scale.ts";
import type { Scenario, Stage } from "../scenario.ts";
import type { ServerProcess } from "../server-process.ts";
import { AT_ONCE, connectInSteps } from "./connect-steps.ts";
import { userNames } from "./pairs.ts";

const POSTERS = 4;
const TEXT_BYTES = 100;
const STREAMS_A_CONNECTION = 100;

/** The machine may be busy, and thousands connect. */
const LIMIT_MS = 300_000;

/** What a group costs per member. */
export const group: Scenario = {
  name: "group",
  about:
    `Posts to a group with everybody online, ${POSTERS} members posting in turn by a schedule, ` +
    `${STREAMS_A_CONNECTION} streams on a TCP connection. Counted: entries that came to members, each from the moment ` +
    "its post was due; every member must get every entry once and in order. CPU per entry delivered: it includes the " +
    "append, the members' acks, and up to 256 members their delivered receipts.",
  isDurable: true,
  limitMs: LIMIT_MS,
  run: async (stage) => {
    const server = await stage.server();
    const load = stage.load("group");
    const names = userNames(Math.max(...stage.scale.groups.map(({ members }) => members)));
    const groups = await makeGroups(stage, server, load, names);
    const figures: Figure[] = [];
    let connected = 0;
    for (const { threadId, ...scale } of groups) {
      await connectInSteps(stage, server, names.slice(connected, scale.members), (users) =>
        load.connect({
          grpcUrl: server.grpcUrl,
          users,
          atOnce: AT_ONCE,
          streamsAConnection: STREAMS_A_CONNECTION,
        }),
      );
      connected = scale.members;
      figures.push(...(await measure(stage, server, load, threadId, scale)));
    }
    return figures;
  },
};

/** All groups, of which each has the members of the one before: nobody is online, so that nobody joins while live. */
async function makeGroups(
  stage: Stage,
  server: ServerProcess,
  load: Remote<LoadKinds["group"]>,
  names: readonly string[],
): Promise<(GroupScale & { readonly threadId: Uint8Array })[]> {
  const [owner] = await server.signIn(names.slice(0, 1));
  const groups: (GroupScale & { readonly threadId: Uint8Array })[] = [];
  for (const scale of stage.scale.groups) {
    const others = names.slice(1, scale.members);
    const threadId = await load.make(server.grpcUrl, owner?.token ?? "", others);
    stage.progress(`a group of ${scale.members} is made`);
    groups.push({ ...scale, threadId });
  }
  return groups;
}

async function measure(
  stage: Stage,
  server: ServerProcess,
  load: Remote<LoadKinds["group"]>,
  threadId: Uint8Array,
  { members, perSecond }: GroupScale,
): Promise<Figure[]> {
  stage.progress(`${perSecond} posts a second to ${members} members`);
  await load.startRate({
    threadId,
    members,
    posters: POSTERS,
    textBytes: TEXT_BYTES,
    ...paceOf(stage.scale, perSecond),
  });
  const { perSecond: deliveries, cpuUs, othersCores } = await stage.window(server, load);
  const { arrived, accepted } = await load.latencies();
  await load.stop();
  const params = { members, posts_per_s: perSecond, posters: POSTERS, text_bytes: TEXT_BYTES };
  const toMembers = new Latencies(arrived).percentiles();
  const toPoster = new Latencies(accepted).percentiles();
  return [
    {
      bench: "group.arrived",
      unit: "ms",
      value: toMembers.p50_ms,
      ...toMembers,
      server_cpu_us_per_delivery: cpuUs,
      params: {
        ...params,
        latency: "to a member",
        others_cores: othersCores,
        deliveries_per_s: Math.round(deliveries),
      },
    },
    {
      bench: "group.accepted",
      unit: "ms",
      value: toPoster.p50_ms,
      ...toPoster,
      params: { ...params, latency: "to accepted", others_cores: othersCores },
    },
  ];
}
