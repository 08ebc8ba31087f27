import { assemblePushServer } from "../../../app/assembly/assemble-push.ts";
import type { Member } from "../../../base/ring.ts";
import { MessageClient } from "../../../peers/message-client.ts";
import { Topics } from "../../../push/topics/topics.ts";
import { pushServerDetails } from "../../../registry/mirrored-push-servers.ts";
import { countedTopics } from "../reach/counting.ts";
import { HISTORY } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

const CAPACITY = 1_000;

/** Within which all streams move when it leaves, in ms. */
const DRAIN_MS = 6_000;

/** A process with a push server. */
export function startPush(process: MeshProcess): void {
  const { clock, tick, log, name, neighbours } = process;
  const { mutant, reached } = process.world;
  const channel = neighbours.channel();
  const messageAt = (member: Member) => new MessageClient(neighbours.link(member, "message"));
  const { service, serve, leave } = assemblePushServer({
    clock,
    tick,
    log,
    config: { name, capacity: CAPACITY },
    history: HISTORY,
    channel: mutant.subscribes?.(channel) ?? channel,
    messageServers: neighbours.mirror("message"),
    messageAt: (member) => mutant.messages?.(messageAt(member)) ?? messageAt(member),
    threads: neighbours.anyLink("thread"),
    presence: neighbours.presence(),
    drainMs: DRAIN_MS,
    topics: countedTopics(mutant.topics ?? Topics, reached),
    register: () =>
      process.register({}, pushServerDetails({ grpcUrl: name, webUrl: name, capacity: CAPACITY })),
  });
  process.push = service;
  process.serves = serve;
  process.leaves = leave;
}
