import type { Clock } from "../base/clock.ts";
import type { HandOff, Publication, Topic } from "../base/publication.ts";
import { EachTick, eventLoopTick, type Tick } from "../stream/each-tick.ts";
import { AttachedLink } from "./attached-link.ts";
import type { Link, Revisions } from "./ports.ts";
import { Subscriptions } from "./subscriptions.ts";

/**
 * How long the topics of a lost link are incomplete, in ms: by then a push server that lives has attached again, here
 * or at another instance, and the sessions of one that died have opened elsewhere (docs/design.md, section 7).
 */
export const INCOMPLETE_MS = 60_000;

/** Bytes queued for one link, by default: some 25,000 short messages, which a living push server drains per tick. */
export const LINK_BYTES = 8 * 1024 * 1024;

export interface ChannelServiceInit {
  readonly clock: Clock;
  readonly registry: Revisions;
  /** The event loop; injected by tests. */
  readonly tick?: Tick;
  /** Bound of one link's queue, in bytes; LINK_BYTES if not given. */
  readonly linkBytes?: number;
}

/** A push server's side of its link. */
export interface Attachment {
  /** Resolves when every later publication to the topic reaches this link. After the link has ended: never. */
  subscribe(topic: Topic): Promise<void>;
  unsubscribe(topic: Topic): void;
  /** A goodbye: the instance forgets the link, and what is queued for it, without calling anything incomplete. */
  close(): void;
  /** The connection broke without a goodbye: what transports call. The link's topics are incomplete for 60 s. */
  lost(): void;
}

/** What an instance has done since it started. Only grows. */
export interface ChannelCounters {
  publications: number;
  /** Frames between servers: publications handed to a link, once each however many topics they named. */
  deliveries: number;
  /** Links closed because they could not keep up, threw, or broke. */
  linksLost: number;
}

/**
 * One instance of the channel service: topic → links of push servers with at least one subscriber, soft state only
 * (docs/design.md, section 7). It gives each publication to each such link once, and to nobody else.
 */
export class ChannelService {
  readonly counters: ChannelCounters = { publications: 0, deliveries: 0, linksLost: 0 };
  readonly #clock: Clock;
  readonly #registry: Revisions;
  readonly #linkBytes: number;
  readonly #subscriptions = new Subscriptions();
  readonly #waiting: EachTick<AttachedLink>;
  readonly #ended: EachTick<AttachedLink>;

  constructor(init: ChannelServiceInit) {
    this.#clock = init.clock;
    this.#registry = init.registry;
    this.#linkBytes = init.linkBytes ?? LINK_BYTES;
    const tick = init.tick ?? eventLoopTick;
    this.#waiting = new EachTick(tick, (link) => this.#deliver(link));
    this.#ended = new EachTick(tick, (link) => link.link.closed());
  }

  /** Topics with a subscriber. */
  get topics(): number {
    return this.#subscriptions.size;
  }

  attach(link: Link): Attachment {
    const attached = new AttachedLink(link, this.#linkBytes);
    return {
      subscribe: (topic) => {
        if (attached.state !== "up") return new Promise(() => {});
        this.#subscriptions.add(topic, attached);
        return Promise.resolve();
      },
      unsubscribe: (topic) => {
        if (attached.state === "up") this.#subscriptions.remove(topic, attached);
      },
      close: () => this.#goodbye(attached),
      lost: () => this.#lose(attached),
    };
  }

  /**
   * Queues the publication for every link that subscribes to one of its topics; its word means just that. A link whose
   * queue has no room is closed, which makes its push server compare, and the answer says `incomplete`.
   */
  publish(publication: Publication): HandOff {
    this.counters.publications++;
    let reached: AttachedLink[] | undefined;
    let incomplete = false;
    const subscribed = publication.topics.map((topic) => {
      let isSubscribed = false;
      for (const link of this.#subscriptions.linksOf(topic)) {
        if (link.state !== "up") {
          incomplete = true;
          continue;
        }
        isSubscribed = true;
        if (!link.gather(topic)) continue;
        if (reached) reached.push(link);
        else reached = [link];
      }
      return isSubscribed;
    });
    for (const link of reached ?? []) if (!this.#queue(link, publication)) incomplete = true;
    return { subscribed, revision: this.#registry.revision, incomplete };
  }

  #queue(link: AttachedLink, publication: Publication): boolean {
    const wasWaiting = link.isWaiting;
    if (!link.queue(publication)) {
      this.#lose(link);
      this.#ended.add(link);
      return false;
    }
    if (!wasWaiting) this.#waiting.add(link);
    return true;
  }

  #deliver(link: AttachedLink): void {
    const delivered = link.deliverAll();
    if (delivered >= 0) {
      this.counters.deliveries += delivered;
      return;
    }
    this.#lose(link);
    this.#ended.add(link);
  }

  #goodbye(link: AttachedLink): void {
    if (link.state !== "up") return;
    this.#forget(link);
  }

  /** The link stays under its topics, marked, for as long as they are incomplete. */
  #lose(link: AttachedLink): void {
    if (link.state !== "up") return;
    link.state = "lost";
    link.drop();
    this.counters.linksLost++;
    this.#clock.after(INCOMPLETE_MS, () => this.#forget(link));
  }

  #forget(link: AttachedLink): void {
    link.state = "gone";
    link.drop();
    this.#subscriptions.removeAll(link);
  }
}
