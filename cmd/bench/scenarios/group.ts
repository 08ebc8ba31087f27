import type { Figure } from "../figures/record.ts";
import { Latencies, type Percentiles } from "../load/counts/latency.ts";
import type { LoadKinds } from "../load/main.ts";
import type { Pace } from "../load/pace/pacer.ts";
import type { Remote } from "../loads/load-process.ts";
import { type GroupScale, paceOf } from "../scale.ts";
import type { MeasuredLoad, Scenario, Stage } from "../scenario.ts";
import type { ServerProcess } from "../server/server-process.ts";
import { AT_ONCE, connectInSteps } from "./connect-steps.ts";
import { userNames } from "./pairs.ts";

/** Also of `group-go`. */
export const POSTERS = 4;
const TEXT_BYTES = 100;
// As behind a proxy. Thousands of connections of one machine to itself would be what is measured.
const STREAMS_A_CONNECTION = 100;

/** The machine may be busy, and thousands connect. */
export const LIMIT_MS = 300_000;

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
      figures.push(...(await measureGroup("group", stage, server, decoding(load), { threadId, ...scale })));
    }
    return figures;
  },
};

/**
 * A load in a group whose members are all connected. `group` and `group-go` have one each; what is measured is the same
 * code.
 */
export interface GroupPosts extends MeasuredLoad {
  readonly startRate: (
    options: Pace & {
      readonly threadId: Uint8Array;
      readonly members: number;
      readonly posters: number;
      readonly textBytes: number;
    },
  ) => Promise<void>;
  readonly latencies: () => Promise<{ readonly accepted: Percentiles; readonly arrived: Percentiles }>;
  readonly stop: () => Promise<unknown>;
}

/** The load of this program as GroupPosts: its latencies come over as text. */
function decoding(load: Remote<LoadKinds["group"]>): GroupPosts {
  const { startRate, done, resetLatencies, stop } = load;
  const latencies = async () => {
    const { accepted, arrived } = await load.latencies();
    return {
      accepted: new Latencies(accepted).percentiles(),
      arrived: new Latencies(arrived).percentiles(),
    };
  };
  return { startRate, done, resetLatencies, stop, latencies };
}

/** A group that is made. */
export type MadeGroup = GroupScale & { readonly threadId: Uint8Array };

/** All groups, of which each has the members of the one before: nobody is online, so that nobody joins while live. */
export async function makeGroups(
  stage: Stage,
  server: ServerProcess,
  load: Remote<LoadKinds["group"]>,
  names: readonly string[],
  scales = stage.scale.groups,
): Promise<MadeGroup[]> {
  const [owner] = await server.signIn(names.slice(0, 1));
  const groups: MadeGroup[] = [];
  for (const scale of scales) {
    const others = names.slice(1, scale.members);
    const threadId = await load.make(server.grpcUrl, owner?.token ?? "", others);
    stage.progress(`a group of ${scale.members} is made`);
    groups.push({ ...scale, threadId });
  }
  return groups;
}

/**
 * Posts to one group for one window. The figures' names begin with `bench`: `.arrived` to each member, `.accepted` to
 * the poster. Rejects if any member missed an entry or got one twice.
 */
export async function measureGroup(
  bench: string,
  stage: Stage,
  server: ServerProcess,
  load: GroupPosts,
  { threadId, members, perSecond }: MadeGroup,
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
  return [
    {
      bench: `${bench}.arrived`,
      unit: "ms",
      value: arrived.p50_ms,
      ...arrived,
      server_cpu_us_per_delivery: cpuUs,
      params: {
        ...params,
        latency: "to a member",
        others_cores: othersCores,
        deliveries_per_s: Math.round(deliveries),
      },
    },
    {
      bench: `${bench}.accepted`,
      unit: "ms",
      value: accepted.p50_ms,
      ...accepted,
      params: { ...params, latency: "to accepted", others_cores: othersCores },
    },
  ];
}
