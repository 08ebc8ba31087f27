import type { Topic } from "../../../base/publication.ts";
import { type Member, soleRing } from "../../../base/ring.ts";
import type { Channel, ChannelLink, Link } from "../../../push/ports.ts";

/** A channel instance at the other end of a network: the test says when it confirms, fails and closes. */
export class RemoteChannel implements Channel {
  /** What push servers attached with, the newest last: by it the instance tells them things. */
  readonly links: Link[] = [];
  /** Subscriptions that were asked for. They wait until a test settles them: without an error they are confirmed. */
  readonly asked: { readonly topic: Topic; readonly settle: (error?: Error) => void }[] = [];
  /** In order. */
  readonly unsubscribed: Topic[] = [];
  readonly ring = soleRing({ name: "channel", address: "", incarnation: 1 });
  /** How many links were closed by push servers. */
  goodbyes = 0;

  attach(_instance: Member, link: Link): ChannelLink {
    this.links.push(link);
    return {
      announce: async () => 1,
      subscribe: (topic) =>
        new Promise((resolve, reject) => {
          this.asked.push({ topic, settle: (error) => (error ? reject(error) : resolve()) });
        }),
      unsubscribe: (topic) => this.unsubscribed.push(topic),
      close: async () => {
        this.goodbyes++;
      },
    };
  }
}
