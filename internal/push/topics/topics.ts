import type { Clock } from "../../base/clock.ts";
import type { Publication, Topic } from "../../base/publication.ts";
import type { Channel, ChannelLink } from "../ports.ts";

/** A subscription that failed is tried again after this long, in ms. */
const SUBSCRIBE_AGAIN_MS = 1_000;

/** What gets the publications of one topic. */
export interface Subscriber {
  readonly topic: Topic;
  /** Every later publication surely comes. Called anew after each `lost`. */
  subscribed(): void;
  /** Publications may be missed from now on, until `subscribed`. */
  lost(): void;
  /** Must not throw. */
  deliver(publication: Publication): void;
}

export interface TopicsInit {
  readonly clock: Clock;
  readonly channel: Channel;
  /** The push server's name in the registry. */
  readonly name: string;
}

/**
 * The link to the channel service, and what is subscribed to over it, each topic once (docs/design.md, section 7). When
 * the channel service closes the link, everything is subscribed to anew on another.
 */
export class Topics {
  readonly #init: TopicsInit;
  readonly #subscribers = new Map<Topic, Subscriber>();
  #link: ChannelLink;
  /** Counts links, so that nothing that an older one says is heard. */
  #links = 0;
  #isClosed = false;
  /** Publications that came, each once whatever number of topics it names. */
  deliveries = 0;

  constructor(init: TopicsInit) {
    this.#init = init;
    this.#link = this.#attach();
  }

  /** Subscribes to the topic of one who is new. It has no other subscriber here. */
  subscribe(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber.topic, subscriber);
    this.#ask(subscriber);
  }

  unsubscribe({ topic }: Subscriber): void {
    if (this.#subscribers.delete(topic)) this.#link.unsubscribe(topic);
  }

  /** A goodbye to the channel service. */
  close(): void {
    this.#isClosed = true;
    void this.#link.close();
  }

  #attach(): ChannelLink {
    const number = ++this.#links;
    const { channel } = this.#init;
    const [instance] = channel.ring.view().members;
    if (!instance) throw new Error("there is no channel instance");
    return channel.attach(instance, {
      name: this.#init.name,
      deliver: (publication, topics) => {
        if (number === this.#links) this.#deliver(publication, topics);
      },
      hint: () => {},
      closed: () => {
        if (number === this.#links && !this.#isClosed) this.#attachAgain();
      },
    });
  }

  #attachAgain(): void {
    this.#link = this.#attach();
    for (const subscriber of this.#subscribers.values()) subscriber.lost();
    for (const subscriber of this.#subscribers.values()) this.#ask(subscriber);
  }

  #ask(subscriber: Subscriber): void {
    const { topic } = subscriber;
    const number = this.#links;
    const isCurrent = () =>
      number === this.#links && this.#subscribers.get(topic) === subscriber && !this.#isClosed;
    this.#link.subscribe(topic).then(
      () => {
        if (isCurrent()) subscriber.subscribed();
      },
      () => {
        this.#init.clock.after(SUBSCRIBE_AGAIN_MS, () => {
          if (isCurrent()) this.#ask(subscriber);
        });
      },
    );
  }

  #deliver(publication: Publication, topics: readonly Topic[]): void {
    this.deliveries++;
    for (const topic of topics) this.#subscribers.get(topic)?.deliver(publication);
  }
}
