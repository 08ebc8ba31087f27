import type { Member } from "../../../base/ring.ts";
import { DrainingReason } from "../../../gen/heddle/push/v1/frame_pb.js";
import { attachChannel } from "../../../peers/channel-client.ts";
import { MessageClient } from "../../../peers/message-client.ts";
import { pushHandlers } from "../../../peers/push-server.ts";
import { RoutedMessages } from "../../../peers/routed-messages.ts";
import { ThreadClient } from "../../../peers/thread-client.ts";
import type { Channel } from "../../../push/ports.ts";
import { PushServer } from "../../../push/service.ts";
import { Topics } from "../../../push/topics/topics.ts";
import { servingRing } from "../../../registry/mirror.ts";
import { pushServerDetails } from "../../../registry/mirrored-push-servers.ts";
import { LinkServer } from "../../../rpc/links/link-server.ts";
import { countedTopics } from "../reach/counting.ts";
import { HISTORY } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";
import { presenceRing } from "./presence-process.ts";

/** How often the load is told, in ms. */
const LOAD_EVERY_MS = 2_000;

const CAPACITY = 1_000;

/** Within which all streams move when it leaves, in ms. */
const DRAIN_MS = 6_000;

/** A process with a push server. */
export function startPush(process: MeshProcess): void {
  const { clock, tick, log, name } = process;
  const { mutant } = process.world;
  const channel: Channel = {
    ring: servingRing(process.mirror("channel")),
    attach: (member, link) => attachChannel(process.links, process.dial(member), link),
  };
  const push = new PushServer({
    messages: new RoutedMessages({
      clock,
      ring: servingRing(process.mirror("message")),
      at: (member) => mutant.messages?.(messageAt(process, member)) ?? messageAt(process, member),
    }),
    threads: new ThreadClient(process.anyLink("thread")),
    channel: mutant.subscribes?.(channel) ?? channel,
    presence: presenceRing(process),
    clock,
    tick,
    log,
    config: { name, capacity: CAPACITY },
    history: HISTORY,
    topics: countedTopics(mutant.topics ?? Topics, process.world.reached),
  });
  process.push = push;
  process.serves = (below) =>
    void new LinkServer({ ...below, service: "push", handlers: pushHandlers(push) });
  const registration = process.register(
    {},
    pushServerDetails({ grpcUrl: name, webUrl: name, capacity: CAPACITY }),
  );
  const tellLoad = () => {
    registration.tellLoad(push.load().sessions);
    clock.after(LOAD_EVERY_MS, tellLoad);
  };
  tellLoad();
  process.leaves = async () => {
    await registration.leaving();
    await push.drain(DrainingReason.SHUTDOWN, DRAIN_MS);
    await registration.revoke();
  };
}

function messageAt(process: MeshProcess, member: Member): MessageClient {
  return new MessageClient(process.keptLink(member, "message"));
}
