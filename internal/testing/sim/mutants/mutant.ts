import type { PresenceInit } from "../../../app/assembly/assemble.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Lease } from "../../../channel/ports.ts";
import type { PublisherInit } from "../../../channel/publisher/publisher.ts";
import type { Channel as PublishTo } from "../../../message/ports.ts";
import type { ServedChannel } from "../../../peers/channel-server.ts";
import type { TimedMessages } from "../../../peers/routed-messages.ts";
import type { Channel as SubscribeAt } from "../../../push/ports.ts";
import type { Topics } from "../../../push/topics/topics.ts";
import type { SharedRegistry } from "../../../registry/shared-registry.ts";
import type { LinkCaller } from "../../../rpc/links/link-client.ts";
import type { LinkBelow } from "../../../rpc/links/link-server.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import type { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import type { LentClock } from "../time/lent-clock.ts";

type PushServers = PresenceInit["place"]["pushServers"];

/** What is broken in a variant, by what is put around the parts of the mesh; what is left out is as it is. */
export interface Mutant {
  readonly logs?: (logs: MessageStore) => MessageStore;
  readonly rows?: (rows: SqliteThreadStore) => SqliteThreadStore;
  /** The rows as one process has them: `storeClock` says what time it is there, `own` what the process has. */
  readonly rowsOf?: (rows: SqliteThreadStore, storeClock: LentClock, own: Clock) => SqliteThreadStore;
  readonly registry?: (clock: Clock) => SharedRegistry;
  /** What message and thread servers publish through. */
  readonly publishes?: (channel: PublishTo) => PublishTo;
  readonly publisher?: (init: PublisherInit) => PublisherInit;
  /** A channel instance: its lease, and it itself. */
  readonly lease?: (lease: Lease) => Lease;
  readonly channel?: (channel: ServedChannel, lease: Lease) => ServedChannel;
  /** What its links are served over. */
  readonly channelBelow?: (below: LinkBelow) => LinkBelow;
  /** A channel instance keeps its links when its lease is lost. */
  readonly areLinksKept?: boolean;
  /** A channel instance does not know that it leaves. */
  readonly leavesUnsaid?: boolean;
  /** A message server takes itself for the only one: nothing tells it that what it knows may be old. */
  readonly isMessageAlone?: boolean;
  /** A process that leaves gives up its place first, and only then lets go of what it serves. */
  readonly unregistersFirst?: boolean;
  /** A link to another process. */
  readonly caller?: (link: LinkCaller) => LinkCaller;
  /** What presence instances know of push servers. */
  readonly pushServers?: (ring: PushServers) => PushServers;
  /** One message server, as push servers send to it. */
  readonly messages?: (server: TimedMessages) => TimedMessages;
  /** What push servers subscribe at. */
  readonly subscribes?: (channel: SubscribeAt) => SubscribeAt;
  readonly topics?: typeof Topics;
}
