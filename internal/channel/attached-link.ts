import type { Publication, Topic } from "../base/publication.ts";
import { ByteQueue } from "../stream/byte-queue.ts";
import type { Link } from "./ports.ts";

/** What a queued publication weighs besides its frame, in bytes: the record, its topics and its ids. */
const RECORD_BYTES = 256;

interface Delivery {
  readonly publication: Publication;
  readonly topics: readonly Topic[];
}

/**
 * What a link is to its instance. `up`: it gets what it subscribes to. `lost`: it ended without a goodbye, by its own
 * fault or ours, and its topics are incomplete for a while. `gone`: it said goodbye, or the while has passed.
 */
export type LinkState = "up" | "lost" | "gone";

/**
 * One push server's link: what is queued for it, bounded in bytes. Publications are gathered per topic first, so that
 * a link that subscribes to several topics of one publication gets it once, naming them all.
 */
export class AttachedLink {
  readonly link: Link;
  state: LinkState = "up";
  readonly #queue: ByteQueue<Delivery>;
  #gathered: Topic[] | undefined;

  constructor(link: Link, limitBytes: number) {
    this.link = link;
    this.#queue = new ByteQueue(limitBytes);
  }

  /** Notes that the publication at hand goes to this link for `topic`; true for the first of its topics. */
  gather(topic: Topic): boolean {
    if (this.#gathered) this.#gathered.push(topic);
    else this.#gathered = [topic];
    return this.#gathered.length === 1;
  }

  /** Queues the publication for the topics gathered. False: it does not fit, the link cannot keep up. */
  queue(publication: Publication): boolean {
    const topics = this.#gathered ?? [];
    this.#gathered = undefined;
    return this.#queue.push({ publication, topics }, publication.frame.length + RECORD_BYTES);
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Whether something waits for the next tick. */
  get isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Delivers everything queued, in order. Returns how many, or -1 if the push server threw: then it is lost. */
  deliverAll(): number {
    const deliveries = this.#queue.takeAll();
    for (const { publication, topics } of deliveries) {
      if (this.state !== "up") return 0;
      try {
        this.link.deliver(publication, topics);
      } catch {
        return -1;
      }
    }
    return deliveries.length;
  }

  /** Forgets what is queued. */
  drop(): void {
    this.#queue.takeAll();
  }
}
