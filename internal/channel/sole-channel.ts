import type { Clock } from "../base/clock.ts";
import type { HandOff, Publication } from "../base/publication.ts";
import { type Member, type Ring, soleRing } from "../base/ring.ts";
import type { Tick } from "../stream/each-tick.ts";
import type { Attachment, Link } from "./ports.ts";
import { Publisher } from "./publisher/publisher.ts";
import type { RepairSet } from "./publisher/repair-set.ts";
import { type ChannelCounters, ChannelService } from "./service.ts";

/** The lease of an instance that nobody else can take for gone. */
const OWN_LEASE = { incarnation: 1, isSure: () => true };

export interface SoleChannelInit {
  readonly clock: Clock;
  /** The event loop; injected by tests. */
  readonly tick?: Tick;
  /** Bound of one link's queue, in bytes. */
  readonly linkBytes?: number;
}

/**
 * The channel service where all is one process: an instance, the ring of it alone, and a publisher, bound directly. It
 * is always sure, so that every hand-off is exact, and answered at once.
 */
export class SoleChannel {
  readonly ring: Ring = soleRing({ name: "channel", address: "", incarnation: OWN_LEASE.incarnation });
  readonly #service: ChannelService;
  readonly #publisher: Publisher;

  constructor(init: SoleChannelInit) {
    const service = new ChannelService({ ...init, lease: OWN_LEASE });
    this.#service = service;
    this.#publisher = new Publisher({ clock: init.clock, ring: this.ring, instance: () => service });
  }

  get counters(): ChannelCounters {
    return this.#service.counters;
  }

  /** Topics with a subscriber. */
  get topics(): number {
    return this.#service.topics;
  }

  /** What the publisher has to tell again: nothing, ever. */
  get repairs(): RepairSet {
    return this.#publisher.repairs;
  }

  publish(publication: Publication): HandOff | Promise<HandOff> {
    return this.#publisher.publish(publication);
  }

  /** The connection of a link broke. */
  broke(link: Link): void {
    this.#service.broke(link);
  }

  attach(_instance: Member, link: Link): Attachment {
    return this.#service.attach(link);
  }
}
