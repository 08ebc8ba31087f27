import type { Topic } from "../../../base/publication.ts";
import type { Channel } from "../../../push/ports.ts";
import { type Subscriber, Topics, type TopicsInit } from "../../../push/topics/topics.ts";

type Confirming = Map<Topic, "move" | "back">;

/** Topics that are not compared when they have moved, or only not when they move back to where they are held. */
export function blindToMoves(to: "all" | "back"): typeof Topics {
  return class extends Topics {
    readonly #confirming: Confirming;

    constructor(init: TopicsInit) {
      const confirming: Confirming = new Map();
      super({ ...init, channel: noting(init.channel, confirming) });
      this.#confirming = confirming;
    }

    override subscribe(subscriber: Subscriber): void {
      const { topic } = subscriber;
      const confirmed = () => {
        const how = this.#confirming.get(topic);
        this.#confirming.delete(topic);
        return how;
      };
      super.subscribe({
        topic,
        subscribed: () => {
          confirmed();
          subscriber.subscribed();
        },
        lost: () => subscriber.lost(),
        compareTopic: () => {
          const how = confirmed();
          if (how === undefined || (to === "back" && how === "move")) subscriber.compareTopic();
        },
        hinted: (hint) => subscriber.hinted(hint),
        deliver: (publication) => subscriber.deliver(publication),
      });
    }
  };
}

/** The channel, with a note of each confirmation that is about to be heard. */
function noting(channel: Channel, confirming: Confirming): Channel {
  return {
    ring: channel.ring,
    attach: (member, end) => {
      const link = channel.attach(member, end);
      const held = new Set<Topic>();
      return {
        announce: (number) => link.announce(number),
        subscribe: async (topic) => {
          const how = held.has(topic) ? "back" : "move";
          held.add(topic);
          await link.subscribe(topic);
          confirming.set(topic, how);
        },
        unsubscribe: (topic) => {
          held.delete(topic);
          link.unsubscribe(topic);
        },
        close: () => link.close(),
      };
    },
  };
}
