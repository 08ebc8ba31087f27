import type { Clock } from "../../base/clock.ts";
import type { Hint, Publication, Topic } from "../../base/publication.ts";
import { rendezvousOwner } from "../../base/rendezvous.ts";
import type { Channel } from "../ports.ts";
import { InstanceLink } from "./instance-link.ts";
import { MarkedTopics } from "./marked-topics.ts";

/** A subscription that failed is tried again after this long, in ms. */
const SUBSCRIBE_AGAIN_MS = 1_000;

/** What gets the publications of one topic. */
export interface Subscriber {
  readonly topic: Topic;
  /** Every later publication surely comes. Called anew after each `lost`. */
  subscribed(): void;
  /** Publications may be missed from now on, until `subscribed`. */
  lost(): void;
  /** A publication may have been missed: what the store holds from now on is to be compared, nothing that was read. */
  compareTopic(): void;
  /** A publication of the topic may not have come. */
  hinted(hint: Hint): void;
  /** Must not throw. */
  deliver(publication: Publication): void;
}

export interface TopicsInit {
  readonly clock: Clock;
  readonly channel: Channel;
  /** The push server's name in the registry. */
  readonly name: string;
  /** Keeps what is to be compared once more. */
  readonly markedTopics?: typeof MarkedTopics<Subscription>;
}

/** A topic that is subscribed to, or about to be. Only Topics writes it. */
export interface Subscription {
  readonly subscriber: Subscriber;
  /** Where it is asked for; undefined while the ring has no member. */
  target: InstanceLink | undefined;
  /** Where else it may still be held, until it is confirmed at the target. */
  left: InstanceLink[];
  /** The number of the request that counts: a confirmation of another says nothing. */
  request: number;
  isConfirmed: boolean;
  /** Whether the subscriber was told `subscribed`, and not `lost` since. */
  isLive: boolean;
  /** Whether it was confirmed before: the first time is a backfill, and no comparison. */
  isOld: boolean;
}

/**
 * What is subscribed to, each topic once, over one ordered link to each channel instance of the ring (docs/design.md,
 * section 7). A topic that is new or moves goes through: **asked** for at its owner; **confirmed**, by the answer to the
 * last request; **compared** with the store, always, even if an old subscription was held there; **live**; and then given
 * up at the owners before. Topics that were opened or moved before every instance had acknowledged the number of the ring
 * are marked, and compared once more when all have: until then a publisher with an older ring could still reach the old
 * owner, and be told `exact`.
 */
export class Topics {
  /** Publications that came, each once whatever number of topics it names; topics compared. Only grow. */
  readonly counters = { deliveries: 0, comparisons: 0 };
  readonly #init: TopicsInit;
  readonly #subscriptions = new Map<Topic, Subscription>();
  readonly #marked: MarkedTopics<Subscription>;
  readonly #stopRing: () => void;
  /** By the name of the instance. */
  #links = new Map<string, InstanceLink>();
  #hidden: number;
  #isClosed = false;

  constructor(init: TopicsInit) {
    this.#init = init;
    const { ring } = init.channel;
    this.#hidden = ring.view().hidden;
    const { markedTopics: Marked = MarkedTopics<Subscription> } = init;
    this.#marked = new Marked(init.clock, (subscription) => {
      if (subscription.isConfirmed) this.#compare(subscription);
    });
    this.#stopRing = ring.onChange(() => this.#follow());
    this.#follow();
  }

  get deliveries(): number {
    return this.counters.deliveries;
  }

  /** Subscribes to the topic of one who is new. It has no other subscriber here. */
  subscribe(subscriber: Subscriber): void {
    const subscription: Subscription = {
      subscriber,
      target: undefined,
      left: [],
      request: 0,
      isConfirmed: false,
      isLive: false,
      isOld: false,
    };
    this.#subscriptions.set(subscriber.topic, subscription);
    this.#aim(subscription);
  }

  /** Whether what was published to the topic `ms` ago has surely come, if all that publish know the ring. */
  hasHeard({ topic }: Subscriber, ms: number): boolean {
    const { isConfirmed, target } = this.#subscriptions.get(topic) ?? {};
    return isConfirmed === true && (target?.heardAtMs ?? 0) > this.#init.clock.monotonicMs() - ms;
  }

  unsubscribe({ topic }: Subscriber): void {
    const subscription = this.#subscriptions.get(topic);
    if (!subscription) return;
    this.#subscriptions.delete(topic);
    this.#marked.delete(subscription);
    for (const link of [...subscription.left, subscription.target]) link?.unsubscribe(topic);
  }

  /** A goodbye to the channel service. */
  close(): void {
    this.#isClosed = true;
    this.#stopRing();
    this.#marked.close();
    for (const link of this.#links.values()) link.close();
  }

  /** The ring has changed. */
  #follow(): void {
    const { state, members, number, hidden } = this.#init.channel.ring.view();
    if (state === "not_loaded" || this.#isClosed) return;
    const before = this.#links;
    this.#links = new Map();
    for (const member of members) {
      const held = before.get(member.name);
      const isHeld = held?.member.incarnation === member.incarnation;
      this.#links.set(member.name, isHeld ? held : new InstanceLink(this.#owner, member, number));
    }
    if (hidden > this.#hidden) for (const one of this.#subscriptions.values()) this.#marked.add(one);
    this.#hidden = hidden;
    for (const link of this.#links.values()) link.announce(number);
    for (const subscription of this.#subscriptions.values()) this.#aim(subscription);
    for (const link of before.values()) if (this.#links.get(link.member.name) !== link) this.#leave(link);
    this.#settleMarked();
  }

  /** Asks for the topic at its owner, if that is another than before. */
  #aim(subscription: Subscription): void {
    const { topic } = subscription.subscriber;
    const owner = rendezvousOwner(this.#init.channel.ring.view().members, topic);
    const target = owner && this.#links.get(owner.name);
    if (target === subscription.target) return;
    if (subscription.target) subscription.left.push(subscription.target);
    subscription.target = target;
    if (!this.#isAcked) this.#marked.add(subscription);
    this.#ask(subscription);
  }

  #ask(subscription: Subscription): void {
    const { target, subscriber } = subscription;
    const request = ++subscription.request;
    subscription.isConfirmed = false;
    const isCurrent = () =>
      subscription.request === request &&
      this.#subscriptions.get(subscriber.topic) === subscription &&
      !this.#isClosed;
    target?.subscribe(subscriber.topic)?.then(
      () => {
        if (isCurrent()) this.#confirmed(subscription);
      },
      () => {
        this.#init.clock.after(SUBSCRIBE_AGAIN_MS, () => {
          if (isCurrent()) this.#ask(subscription);
        });
      },
    );
  }

  #confirmed(subscription: Subscription): void {
    const { subscriber, target, left } = subscription;
    subscription.isConfirmed = true;
    if (this.#isAcked) this.#marked.delete(subscription);
    this.#compare(subscription);
    subscription.isLive = true;
    subscription.isOld = true;
    subscription.left = [];
    for (const link of left) if (link !== target) link.unsubscribe(subscriber.topic);
  }

  #compare({ subscriber, isLive, isOld }: Subscription): void {
    if (isOld) this.counters.comparisons++;
    if (isLive) subscriber.compareTopic();
    else subscriber.subscribed();
  }

  /** The ring holds the instance no more. Where nobody owns its topics now, they are lost. */
  #leave(link: InstanceLink): void {
    link.close();
    for (const subscription of this.#subscriptions.values()) {
      subscription.left = subscription.left.filter((one) => one !== link);
      if (subscription.target === undefined) this.#lose(subscription);
    }
  }

  #broke(link: InstanceLink): void {
    for (const subscription of this.#subscriptions.values()) {
      subscription.left = subscription.left.filter((one) => one !== link);
      if (subscription.target === link) this.#lose(subscription);
    }
  }

  #lose(subscription: Subscription): void {
    subscription.request++;
    subscription.isConfirmed = false;
    if (!subscription.isLive) return;
    subscription.isLive = false;
    subscription.subscriber.lost();
  }

  /** Whether every instance of the ring has acknowledged its number. */
  get #isAcked(): boolean {
    const { number } = this.#init.channel.ring.view();
    for (const link of this.#links.values()) if (link.ackedNumber < number) return false;
    return true;
  }

  #settleMarked(): void {
    if (this.#isAcked) this.#marked.settle();
  }

  get #owner() {
    const { clock, channel, name } = this.#init;
    return {
      clock,
      channel,
      name,
      deliver: (publication: Publication, topics: readonly Topic[]) => {
        this.counters.deliveries++;
        for (const topic of topics) this.#subscriptions.get(topic)?.subscriber.deliver(publication);
      },
      hinted: (hint: Hint) => this.#subscriptions.get(hint.topic)?.subscriber.hinted(hint),
      acked: () => this.#settleMarked(),
      broke: (link: InstanceLink) => this.#broke(link),
      attached: (link: InstanceLink) => {
        for (const one of this.#subscriptions.values()) if (one.target === link) this.#ask(one);
      },
    };
  }
}
