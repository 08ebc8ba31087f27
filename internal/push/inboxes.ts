import type { Clock } from "../base/clock.ts";
import { inbox, type Publication, type Topic } from "../base/publication.ts";
import { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import type { Channel, ChannelLink } from "./ports.ts";
import type { Session } from "./session.ts";

/** A subscription that failed is tried again after this long, in ms. */
const SUBSCRIBE_AGAIN_MS = 1_000;

/** One user's inbox: subscribed to once, however many devices and sessions the user has here. */
interface Inbox {
  readonly topic: Topic;
  sessions: Session[];
  /** Whether the channel service has said that every later publication comes. */
  isSubscribed: boolean;
}

export interface InboxesInit {
  readonly clock: Clock;
  readonly channel: Channel;
  /** The push server's name in the registry. */
  readonly name: string;
}

/**
 * The inboxes of the users who have a session here, and the link through which their events come
 * (docs/design.md, section 7). A subscription is kept from a user's first session to the last. When the channel
 * service closes the link, everything is subscribed to anew on another, and then every session compares: what was
 * published in between is found by Sync.
 */
export class Inboxes {
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #name: string;
  readonly #inboxes = new Map<Topic, Inbox>();
  #link: ChannelLink;
  /** Counts links, so that nothing that an older one says is heard. */
  #links = 0;
  #isClosed = false;
  /** Publications that came, each once whatever number of sessions they went to. */
  deliveries = 0;

  constructor(init: InboxesInit) {
    this.#clock = init.clock;
    this.#channel = init.channel;
    this.#name = init.name;
    this.#link = this.#attach();
  }

  /** Users with a session. */
  get users(): number {
    return this.#inboxes.size;
  }

  /** Adds the session to its user's inbox. True if every later publication surely reaches it already. */
  join(session: Session): boolean {
    const topic = inbox(session.identity.userId);
    const known = this.#inboxes.get(topic);
    if (known) {
      known.sessions.push(session);
      return known.isSubscribed;
    }
    const made: Inbox = { topic, sessions: [session], isSubscribed: false };
    this.#inboxes.set(topic, made);
    this.#subscribe(made);
    return false;
  }

  /** Removes the session. True if it was its user's last one here. */
  leave(session: Session): boolean {
    const topic = inbox(session.identity.userId);
    const known = this.#inboxes.get(topic);
    if (!known?.sessions.includes(session)) return false;
    known.sessions = known.sessions.filter((one) => one !== session);
    if (known.sessions.length > 0) return false;
    this.#inboxes.delete(topic);
    this.#link.unsubscribe(topic);
    return true;
  }

  /** A goodbye to the channel service. */
  close(): void {
    this.#isClosed = true;
    this.#link.close();
  }

  #attach(): ChannelLink {
    const number = ++this.#links;
    return this.#channel.attach({
      name: this.#name,
      deliver: (publication, topics) => {
        if (number === this.#links) this.#deliver(publication, topics);
      },
      closed: () => {
        if (number === this.#links && !this.#isClosed) this.#attachAgain();
      },
    });
  }

  #attachAgain(): void {
    this.#link = this.#attach();
    for (const one of this.#inboxes.values()) {
      one.isSubscribed = false;
      this.#subscribe(one);
    }
  }

  #subscribe(to: Inbox): void {
    const number = this.#links;
    const isCurrent = () => number === this.#links && this.#inboxes.get(to.topic) === to && !this.#isClosed;
    this.#link.subscribe(to.topic).then(
      () => {
        if (!isCurrent()) return;
        to.isSubscribed = true;
        for (const session of to.sessions) session.subscribed();
      },
      () => {
        this.#clock.after(SUBSCRIBE_AGAIN_MS, () => {
          if (isCurrent()) this.#subscribe(to);
        });
      },
    );
  }

  #deliver(publication: Publication, topics: readonly Topic[]): void {
    this.deliveries++;
    for (const topic of topics) {
      const sessions = this.#inboxes.get(topic)?.sessions;
      if (sessions) deliverTo(sessions, publication);
    }
  }
}

/** Everybody but the session that caused it, which has its own answer. */
function deliverTo(sessions: readonly Session[], publication: Publication): void {
  const isRevocation = publication.kind === "device_revoked";
  for (const session of sessions) {
    const { key, deviceId } = session.identity;
    if (!isRevocation) {
      if (key !== publication.originSession) session.push(publication);
    } else if (deviceId === publication.deviceId) {
      session.drain(DrainingReason.DEVICE_REVOKED, 0, 0);
    }
  }
}
