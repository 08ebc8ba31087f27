import type { Clock } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import type { GatewayService } from "../../gateway/service.ts";
import { GatewayService as GatewayDesc } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService as MessageDesc } from "../../gen/heddle/message/v1/message_service_pb.js";
import { PresenceService as PresenceDesc } from "../../gen/heddle/presence/v1/presence_service_pb.js";
import { ProfileService as ProfileDesc } from "../../gen/heddle/profile/v1/profile_service_pb.js";
import { PushService as PushDesc } from "../../gen/heddle/push/v1/push_service_pb.js";
import { ThreadService as ThreadDesc } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import type { Channel, LogDamage, MessageStore, Servers } from "../../message/ports.ts";
import { MessageService } from "../../message/service.ts";
import { VISIBILITY_KEPT_MS } from "../../presence/limits.ts";
import type { Place } from "../../presence/ports.ts";
import { PresenceService } from "../../presence/service.ts";
import { Sight, type SightRule } from "../../presence/sight.ts";
import { Visibilities } from "../../presence/visibilities.ts";
import type { Presence } from "../../push/ports.ts";
import type { PushServer } from "../../push/service.ts";
import { type Authenticate, bind, type ServiceBinding } from "../../rpc/calls/handlers.ts";
import { SETTLE_MS } from "../../rpc/links/budget.ts";
import type { SqlThreadStore } from "../../store/sql/sql-thread-store.ts";
import { Directory } from "../../thread/directory.ts";
import type { Presence as ThreadsPresence } from "../../thread/ports.ts";
import type { ProfileCalls } from "../../thread/profile-calls.ts";
import type { ThreadService } from "../../thread/service.ts";

/** What SQL holds, as the message and the presence service see it. One of each in a program. */
export interface RowViews {
  readonly directory: Directory;
  readonly visibilities: Visibilities;
}

/** The views of the rows of a program in which all services are: nobody else sets what it remembers. */
export function soleRowViews(rows: SqlThreadStore): RowViews {
  return { directory: new Directory(rows), visibilities: new Visibilities(rows) };
}

/**
 * The views of the rows that several programs share. `lease`: of the presence instance that the program is, which is
 * told of every visibility that is set.
 */
export function rowViews(rows: SqlThreadStore, clock: Clock, lease?: Place["lease"]): RowViews {
  const keptMs = () => (lease?.isSure() ? Number.POSITIVE_INFINITY : VISIBILITY_KEPT_MS);
  return { directory: new Directory(rows), visibilities: new Visibilities(rows, { clock, keptMs }) };
}

/** What a message service stands on. What is left out here it gets from the row views. */
export interface MessageInit {
  readonly logs: MessageStore;
  readonly views: RowViews;
  readonly channel: Channel;
  /**
   * Left out where all services are in one program. With it push servers are other programs, and each send is settled
   * within SETTLE_MS: before its link speaks for it.
   */
  readonly servers?: Servers;
  readonly clock: Clock;
  readonly history: History;
  readonly damage: LogDamage;
  readonly sightRule: SightRule;
}

/** The message service over its ports, in every program that holds one. */
export function assembleMessage({ views, logs, sightRule, ...same }: MessageInit): MessageService {
  const { directory, visibilities } = views;
  const message = new MessageService({
    ...same,
    ...(same.servers && { sendMs: SETTLE_MS }),
    store: logs,
    threads: directory,
    groups: directory,
    blocks: directory,
    largeGroups: directory,
    visibilities,
    // By the rule "shared-thread" nothing has to be judged before presence shows: section 8.
    sights: sightRule === "written" ? directory : undefined,
  });
  // Message needs the directory and the directory needs the log: one is made first, and gets the other afterwards.
  directory.findWritersBy((threadId) => message.writers(threadId));
  return message;
}

/** What a presence instance stands on. */
export interface PresenceInit {
  readonly place: Place;
  readonly views: RowViews;
  readonly clock: Clock;
  readonly sightRule: SightRule;
}

/** A presence instance over its ports, in every program that holds one. */
export function assemblePresence({ views, place, clock, sightRule }: PresenceInit): PresenceService {
  const { directory, visibilities } = views;
  const privacy = new Sight(directory, visibilities, sightRule);
  return new PresenceService({ clock, place, visibilities, privacy });
}

/**
 * Tells presence which users a program's own writes show to others or hide from them: every instance, in a mesh. It is
 * told until it is confirmed.
 */
export function tellPresence(
  { directory }: RowViews,
  presence: Pick<ThreadsPresence, "membersChanged">,
): void {
  // A watch whose check fails is mute, and is checked again: nothing is left to do here.
  const changed = (userIds: readonly string[]) => void presence.membersChanged(userIds).catch(() => {});
  directory.onLeft(changed);
  directory.onShown((userId) => changed([userId]));
}

/** The services of a program that clients call with their user tokens. */
export interface UserServices {
  readonly gateway?: GatewayService;
  readonly message?: MessageService;
  readonly thread?: ThreadService;
  readonly profiles?: ProfileCalls;
  readonly presence?: PresenceService;
}

/** Presence as a push server reaches it where both are in one process. */
export function directPresence({ ring }: Place, presence: PresenceService): Presence {
  return { ring, attach: (_instance, link) => presence.attach(link) };
}

/** What clients may call with their user tokens: all but streams. */
export function userBindings(services: UserServices, users: Authenticate): ServiceBinding[] {
  const { gateway, message, thread, profiles, presence } = services;
  return [
    gateway && bind(GatewayDesc, users, gateway.handlers),
    message && bind(MessageDesc, users, message.handlers),
    thread && bind(ThreadDesc, users, thread.handlers),
    profiles && bind(ProfileDesc, users, profiles.handlers),
    presence && bind(PresenceDesc, users, presence.handlers),
  ].filter((binding) => binding !== undefined);
}

/** What clients may call with a ticket, which names one session: their streams. */
export function streamBindings(push: PushServer, tickets: Authenticate): ServiceBinding[] {
  return [bind(PushDesc, tickets, push.handlers, { piecewise: ["submit"] })];
}
