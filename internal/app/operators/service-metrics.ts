import { Counter, Gauge, type Metrics } from "../../base/metrics.ts";
import type { RepairSet } from "../../channel/publisher/repair-set.ts";
import type { ChannelService } from "../../channel/service.ts";
import type { ControlPlane } from "../../controlplane/service.ts";
import type { MessageService } from "../../message/service.ts";
import type { EveryInstance } from "../../presence/every-instance.ts";
import type { PresenceService } from "../../presence/service.ts";
import type { PushServer } from "../../push/service.ts";

/** The services whose counts a program shows. */
export interface CountedServices {
  readonly push?: Pick<PushServer, "load" | "queuedBytes" | "counters" | "comparisons">;
  readonly channel?: Pick<ChannelService, "topics" | "counters">;
  /** Of its publisher, where it holds a message or thread service: what is to be told again. */
  readonly repairs?: Pick<RepairSet, "size" | "counters">;
  readonly message?: Pick<MessageService, "queuedBytes">;
  readonly presence?: Pick<PresenceService, "sessions" | "users" | "watches" | "isLearning" | "counters">;
  /** How a program of the mesh tells the presence instances of blocks, leaves and visibilities. */
  readonly everyPresence?: Pick<EveryInstance, "waiting">;
  readonly controlPlane?: Pick<ControlPlane, "counts">;
}

/** Declares one metric. `help` says what a high value means, for the person who is woken by it. */
type Show = (name: string, help: string, read: () => number) => void;

/** Makes one metric of what is read when somebody asks. */
interface Shown {
  readonly gauge: Show;
  readonly counter: Show;
}

/**
 * Declares what the services of a program count of themselves. It is read when somebody asks, so counting costs them
 * nothing.
 */
export function exposeServices(metrics: Metrics, services: CountedServices): void {
  const shown = shownIn(metrics);
  const { push, channel, repairs, message, presence, everyPresence, controlPlane } = services;
  if (push) exposePush(shown, push);
  if (channel) exposeChannel(shown, channel);
  if (repairs) exposeRepairs(shown, repairs);
  if (presence) exposePresence(shown, presence);
  if (everyPresence) {
    shown.gauge(
      "heddle_presence_unconfirmed_changes",
      "Blocks, leaves and visibilities that some presence instance has not confirmed. Not falling: an instance is registered and does not answer, and SetVisibility and Block fail.",
      () => everyPresence.waiting,
    );
  }
  if (controlPlane) exposeControlPlane(shown, controlPlane);
  if (message) {
    shown.gauge(
      "heddle_message_queued_bytes",
      "Bytes of sends that wait for their thread. High: the store is slow.",
      () => message.queuedBytes,
    );
  }
}

/** How a metric of this program is made. A counter is set to what its service has counted, each time it is read. */
function shownIn(metrics: Metrics): Shown {
  return {
    gauge: (name, help, read) =>
      new Gauge({
        name,
        help,
        registers: [metrics],
        collect() {
          this.set(read());
        },
      }),
    counter: (name, help, read) =>
      new Counter({
        name,
        help,
        registers: [metrics],
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
  };
}

/** Of client streams. None has a user or thread as label: that would be a series for each. */
function exposePush({ gauge, counter }: Shown, push: NonNullable<CountedServices["push"]>): void {
  const queued = () => push.queuedBytes().reduce((sum, bytes) => sum + bytes, 0);
  gauge(
    "heddle_push_sessions",
    "Client streams held. Near capacity: new ones are refused.",
    () => push.load().sessions,
  );
  gauge("heddle_push_capacity_sessions", "Client streams that may be held.", () => push.load().capacity);
  gauge("heddle_push_users", "Users with a session here.", () => push.load().users);
  gauge("heddle_push_queued_bytes", "Bytes queued for all clients. High: many of them read slowly.", queued);
  gauge(
    "heddle_push_queued_bytes_max",
    "Bytes queued for the client for which most are. Near 262,144: it does not read, and is told that it is behind.",
    () => push.queuedBytes().reduce((most, bytes) => Math.max(most, bytes), 0),
  );
  counter("heddle_push_events_total", "Events sent to clients.", () => push.counters.events);
  counter(
    "heddle_push_writes_total",
    "Writes that carried them. Near the events: little is joined.",
    () => push.counters.writes,
  );
  counter(
    "heddle_push_comparisons_total",
    "Topics compared with the store, since an event may not have come. Rising while no channel instance comes or goes: links break, or publishers see another ring.",
    () => push.comparisons,
  );
}

/** Of the events that go from writers to push servers. */
function exposeChannel({ gauge, counter }: Shown, channel: NonNullable<CountedServices["channel"]>): void {
  gauge("heddle_channel_topics", "Topics with a subscriber.", () => channel.topics);
  counter("heddle_channel_publications_total", "Events handed over.", () => channel.counters.publications);
  counter(
    "heddle_channel_broadcasts_total",
    "Events of these that were queued for every link. Rising while no channel instance comes or goes: publishers cannot reach the owner, or the lease is not kept alive.",
    () => channel.counters.broadcasts,
  );
  counter(
    "heddle_channel_deliveries_total",
    "Events given to a push server's link.",
    () => channel.counters.deliveries,
  );
  counter(
    "heddle_channel_links_lost_total",
    "Links closed. Any: a push server could not keep up.",
    () => channel.counters.linksLost,
  );
}

/** Of events that may not have reached everybody, until it is certain that they have. */
function exposeRepairs({ gauge, counter }: Shown, repairs: NonNullable<CountedServices["repairs"]>): void {
  gauge(
    "heddle_channel_repair_topics",
    "Topics of which an event may not have reached all who subscribe, until their owner says that they are told. Not falling: no owner is sure.",
    () => repairs.size,
  );
  counter(
    "heddle_channel_repairs_total",
    "Hints asked of owners of such topics. Rising: events were broadcast.",
    () => repairs.counters.hints,
  );
  counter(
    "heddle_channel_repair_overflows_total",
    "Topics for which there was no room. Any: their subscribers may miss an event until the next one, or Sync.",
    () => repairs.counters.overflows,
  );
}

/** Of who is shown as there. */
function exposePresence({ gauge, counter }: Shown, presence: NonNullable<CountedServices["presence"]>): void {
  gauge(
    "heddle_presence_sessions",
    "Sessions of which push servers have told. Far from theirs: reports are lost.",
    () => presence.sessions,
  );
  gauge("heddle_presence_users", "Users with a session, or shown as if.", () => presence.users);
  gauge("heddle_presence_watches", "Users watched, counted once per session.", () => presence.watches);
  gauge(
    "heddle_presence_learning",
    "1 while the instance does not know its users yet. Longer than 20 s: never.",
    () => Number(presence.isLearning),
  );
  counter("heddle_presence_changes_total", "Times that a user came or went, as shown.", () => {
    return presence.counters.changes;
  });
  counter("heddle_presence_reports_total", "Reports of push servers.", () => presence.counters.reports);
}

function exposeControlPlane(
  { gauge, counter }: Shown,
  plane: NonNullable<CountedServices["controlPlane"]>,
): void {
  gauge(
    "heddle_controlplane_envoys",
    "Envoys that are told of endpoints. Lower than those that run: the others keep what they knew.",
    () => plane.counts().envoys,
  );
  counter(
    "heddle_controlplane_refused_answers_total",
    "Answers that an Envoy did not take. Any: its endpoints grow old; the log has Envoy's words.",
    () => plane.counts().refused,
  );
}
