import type { Clock } from "../../base/clock.ts";
import type { Hint, Publication, Topic } from "../../base/publication.ts";
import type { Member } from "../../base/ring.ts";
import type { Channel, ChannelLink } from "../ports.ts";

/** A link over which nothing was answered is attached again after this, in ms; another that breaks at once. */
const ATTACH_AGAIN_MS = 1_000;

/** What a link tells. */
export interface LinkOwner {
  readonly clock: Clock;
  readonly channel: Pick<Channel, "attach">;
  /** The push server's name in the registry. */
  readonly name: string;
  deliver(publication: Publication, topics: readonly Topic[]): void;
  hinted(hint: Hint): void;
  /** The instance has acknowledged a higher number. */
  acked(): void;
  /** Nothing that was subscribed to over it surely comes any more. */
  broke(link: InstanceLink): void;
  /** It is attached again: nothing is subscribed to over it. */
  attached(link: InstanceLink): void;
}

/**
 * The link to one incarnation of a channel instance, attached again whenever it breaks, for as long as the ring holds
 * it. The number of the ring is announced at once on each.
 */
export class InstanceLink {
  readonly member: Member;
  /** The highest number that this incarnation has acknowledged. Kept when the link breaks. */
  ackedNumber = 0;
  readonly #owner: LinkOwner;
  #link: ChannelLink | undefined;
  #number: number;
  /** Counts attachments, so that nothing that an older one says is heard. */
  #attachments = 0;
  #isAnswered = false;
  #isClosed = false;

  constructor(owner: LinkOwner, member: Member, number: number) {
    this.#owner = owner;
    this.member = member;
    this.#number = number;
    this.#attach();
  }

  /** Tells the number of the ring. */
  announce(number: number): void {
    if (number <= this.#number) return;
    this.#number = number;
    this.#announce();
  }

  /** When the instance was heard last, in monotonic ms. */
  get heardAtMs(): number {
    return this.#link ? (this.#link.heardAtMs?.() ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  }

  /** Undefined while it is not attached: its owner is called back when it is. */
  subscribe(topic: Topic): Promise<void> | undefined {
    return this.#link?.subscribe(topic);
  }

  unsubscribe(topic: Topic): void {
    this.#link?.unsubscribe(topic);
  }

  /** A goodbye. What was queued before is still delivered. */
  close(): void {
    this.#isClosed = true;
    void this.#link?.close().catch(() => {}); // A link that breaks now has been read out as far as it can be.
  }

  #attach(): void {
    const attachment = ++this.#attachments;
    const { channel, name } = this.#owner;
    const isCurrent = () => attachment === this.#attachments;
    this.#isAnswered = false;
    this.#link = channel.attach(this.member, {
      name,
      deliver: (publication, topics) => {
        if (isCurrent()) this.#owner.deliver(publication, topics);
      },
      hint: (hint) => {
        if (isCurrent()) this.#owner.hinted(hint);
      },
      closed: () => {
        if (isCurrent() && !this.#isClosed) this.#broke();
      },
    });
    this.#announce();
  }

  #broke(): void {
    this.#attachments++;
    this.#link = undefined;
    this.#owner.broke(this);
    const attachAgain = () => {
      if (this.#isClosed) return;
      this.#attach();
      this.#owner.attached(this);
    };
    if (this.#isAnswered) attachAgain();
    else this.#owner.clock.after(ATTACH_AGAIN_MS, attachAgain);
  }

  /** Another incarnation that answers has a link of its own as soon as the ring says so. */
  #announce(): void {
    const number = this.#number;
    const attachment = this.#attachments;
    const acked = (incarnation: number) => {
      if (attachment === this.#attachments) this.#isAnswered = true;
      if (incarnation !== this.member.incarnation || number <= this.ackedNumber) return;
      this.ackedNumber = number;
      if (!this.#isClosed) this.#owner.acked();
    };
    this.#link?.announce(number).then(acked, () => {}); // One that fails is followed by `closed`.
  }
}
