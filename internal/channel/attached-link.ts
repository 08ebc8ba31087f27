import type { Hint, Publication, Topic } from "../base/publication.ts";
import { ByteQueue } from "../stream/byte-queue.ts";
import type { Link } from "./ports.ts";

/** What a publication that is kept weighs besides its frame, in bytes: the record, its topics and its ids. */
const RECORD_BYTES = 256;

/** What a publication that is kept weighs, in bytes. */
export function publicationBytes({ frame }: Publication): number {
  return frame.length + RECORD_BYTES;
}

type Delivery = { readonly publication: Publication; readonly topics: readonly Topic[] } | Hint;

/**
 * One push server's link: what is queued for it, bounded in bytes. Publications are gathered per topic first, so that
 * a link that subscribes to several topics of one publication gets it once, naming them all.
 */
export class AttachedLink {
  readonly link: Link;
  readonly #queue: ByteQueue<Delivery>;
  /** The topics of the publication at hand are the first `#count` ones: the list is kept, since each one has some. */
  readonly #gathered: Topic[] = [];
  #count = 0;
  #isUp = true;

  constructor(link: Link, limitBytes: number) {
    this.link = link;
    this.#queue = new ByteQueue(limitBytes);
  }

  /** Whether it gets what it subscribes to. Once it has ended it never does again. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Notes that the publication at hand goes to this link for `topic`; true for the first of its topics. */
  gather(topic: Topic): boolean {
    this.#gathered[this.#count] = topic;
    this.#count += 1;
    return this.#count === 1;
  }

  /** Queues the publication for the topics gathered. False: it does not fit, the link cannot keep up. */
  queue(publication: Publication): boolean {
    const isAll = this.#count === publication.topics.length;
    const topics = isAll ? publication.topics : this.#gathered.slice(0, this.#count);
    this.#count = 0;
    return this.#queue.push({ publication, topics }, publicationBytes(publication));
  }

  /** False: it does not fit. */
  queueHint(hint: Hint): boolean {
    return this.#queue.push(hint, RECORD_BYTES);
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Whether something waits for the next tick. */
  get isWaiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Delivers everything queued, in order. Returns how many publications, or -1 if the push server threw. */
  deliverAll(): number {
    let publications = 0;
    for (const delivery of this.#queue.takeAll()) {
      if (!this.#isUp) return publications;
      try {
        if ("publication" in delivery) {
          this.link.deliver(delivery.publication, delivery.topics);
          publications++;
        } else this.link.hint(delivery);
      } catch {
        return -1;
      }
    }
    return publications;
  }

  /** It has ended: what is queued is forgotten. */
  end(): void {
    this.#isUp = false;
    this.#queue.takeAll();
  }
}
