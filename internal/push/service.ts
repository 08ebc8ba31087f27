import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import { deviceRevoked, type HeddleError, overloaded } from "../base/heddle-error.ts";
import { type History, NO_HISTORY } from "../base/history.ts";
import { hex } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import type {
  PushService,
  SubmitRequest,
  SubmitResponseSchema,
  SubscribeRequest,
} from "../gen/heddle/push/v1/push_service_pb.js";
import type { Handlers } from "../rpc/calls/handlers.ts";
import { Deadlines } from "../stream/deadlines.ts";
import { EachTick, eventLoopTick, type Tick } from "../stream/each-tick.ts";
import { CallGate } from "./call-gate.ts";
import type { PushConfig } from "./config.ts";
import { ConnectDoor } from "./doors/door-connect.ts";
import { WebDoor } from "./doors/door-web.ts";
import { STREAMS_PER_USER, SYNCS_AT_ONCE } from "./limits.ts";
import type { ByteStream, Call, Caller, Channel, Messages, Presence, Threads } from "./ports.ts";
import { SessionPresence } from "./presence/session-presence.ts";
import { CheckedMessages } from "./session/checked-messages.ts";
import { Session } from "./session/session.ts";
import { channelUnknown, serverDraining, ticketExpired, wrongSession } from "./session/session-errors.ts";
import type { Identity, SessionHost } from "./session/session-host.ts";
import { Sessions } from "./session/sessions.ts";
import { DeviceChecks } from "./topics/device-checks.ts";
import { Inboxes } from "./topics/inboxes.ts";
import { Topics } from "./topics/topics.ts";

/** How long a client that finds no room here should wait, in ms. */
const FULL_RETRY_MS = 1_000;

export interface PushServerInit {
  readonly messages: Messages;
  readonly threads: Threads;
  readonly channel: Channel;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: PushConfig;
  /** What `opened` tells of the data; without it nothing. */
  readonly history?: History;
  /** The event loop; injected by tests. */
  readonly tick?: Tick;
  /** What subscribes; replaced by tests. */
  readonly topics?: typeof Topics;
}

/** What a push server has done since it started. Only grows. */
export interface PushCounters {
  /** Events sent to clients. */
  events: number;
  /** Writes that carried them: one per stream and tick. */
  writes: number;
}

/** What a push server holds now. */
export interface PushLoad {
  /** Streams, those that have not opened among them. */
  readonly sessions: number;
  readonly capacity: number;
  /** Users with a session. */
  readonly users: number;
}

/**
 * The push server: client streams, their sessions, and the subscriptions of these (docs/design.md, sections 4 and 7).
 * Streams come from the listeners already authenticated by a ticket for this server.
 */
export class PushServer {
  readonly counters: PushCounters = { events: 0, writes: 0 };
  readonly #init: PushServerInit;
  readonly #messages: Messages;
  readonly #sessions: Sessions;
  readonly #topics: Topics;
  readonly #inboxes: Inboxes;
  readonly #presence: SessionPresence;
  readonly #host: SessionHost<Session>;
  readonly #web: WebDoor;
  readonly #devices: DeviceChecks;
  /** What ended sessions have left to write. */
  readonly #closing = new Set<Promise<void>>();
  #isDraining = false;

  constructor(init: PushServerInit) {
    const { threads, channel, clock, config } = init;
    const deadlines = new Deadlines(clock);
    const { tick = eventLoopTick, presence, history = NO_HISTORY, topics: Subscribed = Topics } = init;
    const flushes = new EachTick<Session>(tick, (session) => session.flush());
    this.#init = init;
    this.#devices = new DeviceChecks({ clock, deadlines, threads });
    this.#sessions = new Sessions(clock);
    const messages = new CheckedMessages({
      messages: init.messages,
      deadlines,
      sessionOf: (key) => this.#sessions.get(key),
      hasHeard: (userId) => this.#inboxes.hasHeard(userId),
      isRevoked: (userId, deviceId) => this.#devices.isRevoked(userId, deviceId),
      revoked: (userId, deviceId) => this.#inboxes.revoke(userId, deviceId),
    });
    this.#messages = messages;
    this.#topics = new Subscribed({ clock, channel, name: config.name });
    this.#inboxes = new Inboxes({
      clock,
      deadlines,
      messages,
      threads,
      devices: this.#devices,
      topics: this.#topics,
    });
    this.#presence = new SessionPresence({ clock, deadlines, tick, presence, name: config.name });
    this.#web = new WebDoor({ clock, messages, sessionOf: (key) => this.#sessions.get(key) });
    this.#host = {
      clock,
      messages,
      threads,
      history,
      gate: new CallGate(SYNCS_AT_ONCE),
      flushSoon: (session) => flushes.add(session),
      opened: (session) => {
        const isSubscribed = this.#inboxes.join(session);
        this.#presence.opened(session);
        this.#sessions.opened(session); // After joining, so that a take-over does not end the subscription.
        return isSubscribed;
      },
      ended: (session) => this.#ended(session),
      watch: (session, userIds) => this.#presence.watch(session, userIds),
      wrote: (events) => {
        this.counters.events += events;
        this.counters.writes++;
      },
    };
  }

  /** The RPCs of heddle.push.v1.PushService. Callers come with tickets. */
  get handlers(): Handlers<typeof PushService> {
    return {
      connect: (stream) => this.connect(stream),
      subscribe: (request, stream) => this.subscribe(request, stream),
      submit: (request, call) => this.submit(request, call),
    };
  }

  /** Publications that came over the link, each once. */
  get deliveries(): number {
    return this.#topics.deliveries;
  }

  /** Topics that were compared with the store after their subscription, since an event may not have come. */
  get comparisons(): number {
    return this.#topics.counters.comparisons;
  }

  /** Takes over a native client's stream. */
  connect(stream: ByteStream): void {
    const session = this.#admit(stream);
    if (session) new ConnectDoor(session, stream, this.#messages);
  }

  /** Takes over a browser's stream. */
  subscribe(request: SubscribeRequest, stream: ByteStream): void {
    const session = this.#admit(stream);
    if (session) this.#web.subscribe(request, session);
  }

  /** Carries out a browser's frames. Rejects with TOKEN_EXPIRED, DRAINING or DEVICE_REVOKED before any of them. */
  async submit(request: SubmitRequest, call: Call): Promise<MessageInitShape<typeof SubmitResponseSchema>> {
    if (this.#init.clock.nowMs() >= call.caller.expiresAtMs) throw ticketExpired();
    if (this.#isDraining && this.#sessions.size === 0) throw serverDraining();
    if (!this.#web.holds(call.caller)) await this.#checkDevice(call.caller);
    return await this.#web.submit(request, call);
  }

  load(): PushLoad {
    const { capacity } = this.#init.config;
    return { sessions: this.#sessions.size, capacity, users: this.#inboxes.users };
  }

  /** The devices of the user that have a stream here. */
  devicesOf(userId: string): readonly string[] {
    const own = [...this.#sessions].filter(({ identity }) => identity.userId === userId);
    return [...new Set(own.map(({ identity }) => identity.deviceId))];
  }

  /** The open sessions' queues, in bytes each: what tests and metrics look at. */
  queuedBytes(): number[] {
    return Array.from(this.#sessions, (session) => session.queuedBytes);
  }

  /**
   * Takes no new streams, asks the clients of all others to move, at random moments in the first half of `afterMs`,
   * and ends after `afterMs` those that have not. Resolves when no stream is left, what their users had read is
   * written, and the channel and presence services have been told goodbye.
   */
  async drain(reason: DrainingReason, afterMs: number): Promise<void> {
    this.#isDraining = true;
    for (const session of this.#sessions) {
      if (session.phase === "opening") session.end(serverDraining());
      else session.drain(reason, afterMs, afterMs / 2);
    }
    const cancel = this.#init.clock.after(afterMs, () => {
      for (const session of this.#sessions) session.end();
    });
    await this.#sessions.empty();
    cancel();
    await Promise.all(this.#closing);
    this.#topics.close();
    await this.#presence.close();
  }

  /** Of a session that is not held here no revocation is heard: the store is asked. */
  async #checkDevice({ userId, deviceId }: Caller): Promise<void> {
    if (deviceId !== undefined && (await this.#devices.isRevoked(userId, deviceId))) throw deviceRevoked();
  }

  /** A session for the stream, or an error on the stream. */
  #admit(stream: ByteStream): Session | undefined {
    const identity = identityOf(stream.call.caller);
    const error = this.#refusal(stream.call.caller, identity);
    if (error || !identity) {
      stream.end(error);
      return undefined;
    }
    const session = new Session(this.#host, stream, identity);
    this.#sessions.add(session);
    return session;
  }

  #refusal(caller: Caller, identity: Identity | undefined): HeddleError | undefined {
    const nowMs = this.#init.clock.nowMs();
    if (!identity) return wrongSession("session_id");
    if (nowMs >= Math.min(caller.openByMs ?? 0, caller.userTokenExpiresAtMs)) return ticketExpired();
    if (this.#isDraining) return serverDraining();
    // It has started while the registry was away: here a client would wait to be caught up, elsewhere it need not.
    if (this.#init.channel.ring.view().state === "not_loaded") return channelUnknown();
    const { capacity, streamsPerUser = STREAMS_PER_USER } = this.#init.config;
    if (this.#sessions.size >= capacity) return overloaded("sessions", FULL_RETRY_MS);
    const others = this.#sessions.countOf(identity.userId) - (this.#sessions.get(identity.key) ? 1 : 0);
    const isUserFull = others >= streamsPerUser; // A stream that takes the place of one is not one more.
    return isUserFull ? overloaded("streams", FULL_RETRY_MS) : undefined;
  }

  #ended(session: Session): void {
    this.#sessions.remove(session);
    this.#init.threads.deviceUsed(session.identity.userId, session.identity.deviceId);
    this.#presence.ended(session);
    const isLast = this.#inboxes.leave(session);
    const closing = this.#closeUser(session, isLast).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** What the session's acks say is handed over; with the user's last session, positions are written. */
  async #closeUser(session: Session, isLast: boolean): Promise<void> {
    try {
      await session.handOverDelivered();
      if (isLast) await this.#messages.flushReceipts(session.identity.userId);
    } catch (error) {
      // The client repeats, when it opens again, every position that no thread row has confirmed.
      this.#init.log.warn({ err: error }, "positions of a user who left were not written");
    }
  }
}

/** Undefined if the caller has no ticket. */
function identityOf(caller: Caller): Identity | undefined {
  const { userId, deviceId, sessionId, userTokenExpiresAtMs } = caller;
  if (!sessionId || deviceId === undefined) return undefined;
  return { userId, deviceId, sessionId, key: hex(sessionId), userTokenExpiresAtMs };
}
