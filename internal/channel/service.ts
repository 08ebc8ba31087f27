import type { Clock } from "../base/clock.ts";
import type { ChannelAnswer, Hint, Publication } from "../base/publication.ts";
import { EachTick, eventLoopTick, type Tick } from "../stream/each-tick.ts";
import { AttachedLink } from "./attached-link.ts";
import { KeptBroadcasts } from "./kept-broadcasts.ts";
import type { Attachment, Lease, Link } from "./ports.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Bytes queued for one link, by default: some 25,000 short messages, which a living push server drains per tick. */
export const LINK_BYTES = 8 * 1024 * 1024;

export interface ChannelServiceInit {
  readonly clock: Clock;
  readonly lease: Lease;
  /** The event loop; injected by tests. */
  readonly tick?: Tick;
  /** Bound of one link's queue, in bytes; LINK_BYTES if not given. */
  readonly linkBytes?: number;
}

/** What an instance has done since it started. Only grows. */
export interface ChannelCounters {
  publications: number;
  /** Of these, those that were queued for all links, since their publisher's ring or the lease was not sure. */
  broadcasts: number;
  /** Frames between servers: publications handed to a link, once each however many topics they named. */
  deliveries: number;
  /** Links closed because they could not keep up, threw, or broke. */
  linksLost: number;
}

/**
 * One instance of the channel service: topic → links of push servers with at least one subscriber, soft state only
 * (docs/design.md, section 7). It gives each publication to each such link once, and to no other, while it is *sure*:
 * its lease has not run out by its own clock, and it is not leaving. Otherwise, and where the publisher's ring may be
 * older than one that a push server has told of, each link gets it.
 */
export class ChannelService {
  readonly counters: ChannelCounters = { publications: 0, broadcasts: 0, deliveries: 0, linksLost: 0 };
  readonly #lease: Lease;
  readonly #linkBytes: number;
  readonly #links = new Set<AttachedLink>();
  readonly #subscriptions = new Subscriptions();
  readonly #kept: KeptBroadcasts;
  readonly #waiting: EachTick<AttachedLink>;
  readonly #ended: EachTick<AttachedLink>;
  /** The highest number that a push server has told this incarnation. Kept when links break. */
  #announced = 0;
  #isLeaving = false;

  constructor(init: ChannelServiceInit) {
    this.#lease = init.lease;
    this.#linkBytes = init.linkBytes ?? LINK_BYTES;
    this.#kept = new KeptBroadcasts(init.clock);
    const tick = init.tick ?? eventLoopTick;
    this.#waiting = new EachTick(tick, (link) => this.#deliver(link));
    this.#ended = new EachTick(tick, (link) => link.link.closed());
  }

  /** Topics with a subscriber. */
  get topics(): number {
    return this.#subscriptions.size;
  }

  /** Links are taken while the instance is registered, and closed at once while it is not. */
  attach(link: Link): Attachment {
    const attached = new AttachedLink(link, this.#linkBytes);
    this.#links.add(attached);
    if (this.#lease.incarnation === 0 || this.#isLeaving) this.#close(attached);
    else for (const publication of this.#kept.all()) this.#queueAll(attached, publication);
    return {
      announce: (number) => {
        if (!attached.isUp) return new Promise(() => {});
        this.#announced = Math.max(this.#announced, number);
        return Promise.resolve(this.#lease.incarnation);
      },
      subscribe: (topic) => {
        if (!attached.isUp) return new Promise(() => {});
        this.#subscriptions.add(topic, attached);
        return Promise.resolve();
      },
      unsubscribe: (topic) => {
        if (attached.isUp) this.#subscriptions.remove(topic, attached);
      },
      close: async () => {
        this.#deliver(attached);
        this.#forget(attached);
      },
    };
  }

  /** For transports: the connection of the link broke. It is not called `closed`. */
  broke(link: Link): void {
    for (const attached of this.#links) {
      if (attached.link !== link) continue;
      this.counters.linksLost++;
      this.#forget(attached);
    }
  }

  /** The check and the queueing are one step: no announcement comes between. */
  publish(publication: Publication, number: number): ChannelAnswer {
    if (!this.#isExact(number)) return this.broadcast(publication);
    this.counters.publications++;
    let reached: AttachedLink[] | undefined;
    const subscribed = publication.topics.map((topic) => {
      const links = this.#subscriptions.linksOf(topic);
      for (const link of links) {
        if (!link.gather(topic)) continue;
        if (reached) reached.push(link);
        else reached = [link]; // An empty list makes room for 17 at its first push.
      }
      return links.length > 0;
    });
    for (const link of reached ?? []) this.#queue(link, publication);
    return { kind: "exact", incarnation: this.#lease.incarnation, subscribed };
  }

  broadcast(publication: Publication): ChannelAnswer {
    this.counters.publications++;
    this.counters.broadcasts++;
    this.#kept.add(publication);
    for (const link of [...this.#links]) this.#queueAll(link, publication);
    const { incarnation } = this.#lease;
    return { kind: this.#isSure ? "broadcast" : "unsure", incarnation };
  }

  /** One that is not exact is queued nowhere: only the sure owner ends a repair. */
  hint(hint: Hint, number: number): ChannelAnswer {
    const { incarnation } = this.#lease;
    if (!this.#isExact(number)) return { kind: this.#isSure ? "broadcast" : "unsure", incarnation };
    const links = this.#subscriptions.linksOf(hint.topic);
    const subscribed = [links.length > 0];
    for (const link of [...links]) this.#queue(link, hint);
    return { kind: "exact", incarnation, subscribed };
  }

  /**
   * The registration is gone: push servers attach anew, to the next incarnation or elsewhere, and compare.
   */
  leaseLost(): void {
    this.#announced = 0;
    for (const link of [...this.#links]) this.#close(link);
  }

  /**
   * From now on nothing is exact. Called before the lease is revoked; afterwards `close`, when push servers have had
   * time to move.
   */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Delivers what is queued for the links, and closes them. */
  close(): void {
    this.leave();
    for (const link of [...this.#links]) {
      this.#deliver(link);
      this.#close(link);
    }
  }

  get #isSure(): boolean {
    return !this.#isLeaving && this.#lease.isSure();
  }

  #isExact(number: number): boolean {
    return this.#isSure && number >= this.#lease.incarnation && number >= this.#announced;
  }

  #queueAll(link: AttachedLink, publication: Publication): void {
    for (const topic of publication.topics) link.gather(topic);
    this.#queue(link, publication);
  }

  /** A link whose queue has no room is closed, which makes its push server compare. */
  #queue(link: AttachedLink, told: Publication | Hint): void {
    const wasWaiting = link.isWaiting;
    if (!("frame" in told ? link.queue(told) : link.queueHint(told))) this.#lose(link);
    else if (!wasWaiting) this.#waiting.add(link);
  }

  #deliver(link: AttachedLink): void {
    const delivered = link.deliverAll();
    if (delivered >= 0) this.counters.deliveries += delivered;
    else this.#lose(link);
  }

  #lose(link: AttachedLink): void {
    if (!link.isUp) return;
    this.counters.linksLost++;
    this.#close(link);
  }

  #close(link: AttachedLink): void {
    if (!link.isUp) return;
    this.#forget(link);
    this.#ended.add(link);
  }

  #forget(link: AttachedLink): void {
    link.end();
    this.#links.delete(link);
    this.#subscriptions.removeAll(link);
  }
}
