import { Counter, Gauge, type Metrics } from "../base/metrics.ts";
import type { ChannelCounters } from "../channel/service.ts";
import type { MessageService } from "../message/service.ts";
import type { PresenceService } from "../presence/service.ts";
import type { PushServer } from "../push/service.ts";

/** Declares what the services count of themselves. It is read when somebody asks, so counting costs them nothing. */
export function exposeServices(
  metrics: Metrics,
  services: {
    push: PushServer;
    channel: { readonly topics: number; readonly counters: ChannelCounters };
    message: MessageService;
    presence: PresenceService;
  },
): void {
  const { push, channel, message, presence } = services;
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers: [metrics],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
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
  gauge("heddle_channel_topics", "Topics with a subscriber.", () => channel.topics);
  counter("heddle_channel_publications_total", "Events handed over.", () => channel.counters.publications);
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
  gauge(
    "heddle_message_queued_bytes",
    "Bytes of sends that wait for their thread. High: the store is slow.",
    () => message.queuedBytes,
  );
}
