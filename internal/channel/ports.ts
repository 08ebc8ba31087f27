import type { ChannelAnswer, Hint, Publication, Topic } from "../base/publication.ts";

/** A push server, as the channel service calls it. One ordered link: what is called first arrives first. */
export interface Link {
  /** The push server's name in the registry. */
  readonly name: string;
  /**
   * One publication for `topics`: those of it that this link subscribes to, or, of one that is broadcast, all. Must not
   * block. A throw loses the link.
   */
  deliver(publication: Publication, topics: readonly Topic[]): void;
  /** A topic that the link subscribes to may have had an event that did not come. A throw loses the link. */
  hint(hint: Hint): void;
  /** The instance has closed the link, or it broke: attach again, subscribe again, compare. */
  closed(): void;
}

/** A push server's side of its link. What is asked over it is answered in order. */
export interface Attachment {
  /**
   * Tells the number of the push server's ring. Resolves, when the instance knows it, to the incarnation that does; from
   * then on it answers no publisher of a lower number `exact`. After the link has ended: never.
   */
  announce(number: number): Promise<number>;
  /** Resolves when every later `exact` publication to the topic reaches this link. After the link has ended: never. */
  subscribe(topic: Topic): Promise<void>;
  unsubscribe(topic: Topic): void;
  /** A goodbye: resolves when what was queued before has been delivered. The instance forgets the link. */
  close(): Promise<void>;
}

/** The instance's own registration, by its own clock. */
export interface Lease {
  /** The number that it got when it registered; 0 while it is not registered. */
  readonly incarnation: number;
  /** Whether it surely is registered at this moment: its own deadline, shorter than the registry's, has not passed. */
  isSure(): boolean;
}

/**
 * A channel instance, as a publisher asks it. An instance in this process answers at once. Between processes a call
 * that cannot be made rejects, and one that is not answered is given up on after 250 ms.
 */
export interface ChannelInstance {
  /** `number`: of the publisher's ring when it chose this instance. */
  publish(publication: Publication, number: number): ChannelAnswer | Promise<ChannelAnswer>;
  /** To every link, whatever it subscribes to. Never answered `exact`. */
  broadcast(publication: Publication): ChannelAnswer | Promise<ChannelAnswer>;
  /** Asked of the owner by the publisher's ring. Only `exact` means that the subscribers are told. */
  hint(hint: Hint, number: number): ChannelAnswer | Promise<ChannelAnswer>;
}
