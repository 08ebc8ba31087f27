import type { Clock } from "../../base/clock.ts";
import type { Member } from "../../base/ring.ts";
import { Publisher, type PublisherInit } from "../../channel/publisher/publisher.ts";
import { attachChannel, ChannelClient } from "../../peers/channel-client.ts";
import { attachPresence } from "../../peers/presence-client.ts";
import type { Channel, Presence } from "../../push/ports.ts";
import { Mirror, servingRing } from "../../registry/mirror.ts";
import type { Registry } from "../../registry/registry.ts";
import type { LinkContext } from "../../rpc/links/item-stream.ts";
import { KeptLinks } from "../../rpc/links/kept-links.ts";
import { DEFAULT_LIMITS } from "../../rpc/links/limits.ts";
import type { LinkCaller } from "../../rpc/links/link-client.ts";
import type { LinkStream } from "../../rpc/links/link-stream.ts";
import { peerUnavailable } from "../../rpc/links/peer-errors.ts";
import type { Tick } from "../../stream/each-tick.ts";
import type { PresenceWay } from "./assemble-presence.ts";

/** The word of a service that registers. */
export type ServiceWord = "gateway" | "push" | "message" | "channel" | "presence" | "thread";

export interface NeighboursInit {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly tick: Tick;
  /** Opens the `Link` stream of a service at an address. Must not throw: what cannot be reached breaks. */
  readonly dial: (to: Pick<Member, "address">, service: ServiceWord) => LinkStream;
  /** In [0, 1): which instance is asked where any will do. */
  readonly random: () => number;
  /** Stands before every link, in tests. */
  readonly linked?: (link: LinkCaller) => LinkCaller;
}

/**
 * The other programs of the mesh, as one of them knows and reaches them: a mirror of each service that it has asked for,
 * and links. It knows nothing of a service before the first time that it is asked for.
 */
export class Neighbours {
  readonly links: LinkContext;
  readonly #init: NeighboursInit;
  readonly #mirrors = new Map<ServiceWord, Mirror>();
  readonly #kept = new Map<ServiceWord, KeptLinks>();

  constructor(init: NeighboursInit) {
    const { clock, tick } = init;
    this.#init = init;
    this.links = { clock, tick, limits: DEFAULT_LIMITS };
  }

  /** What is known of a service. */
  mirror(service: ServiceWord): Mirror {
    let mirror = this.#mirrors.get(service);
    if (!mirror) {
      const { registry, clock } = this.#init;
      mirror = new Mirror({ registry, clock, service });
      this.#mirrors.set(service, mirror);
      void mirror.start();
    }
    return mirror;
  }

  /** The highest number of a service that was seen; 0 where it was never asked for. */
  seen(service: string): number {
    return this.#mirrors.get(service as ServiceWord)?.view().number ?? 0;
  }

  /** Those that were asked for. */
  get mirrors(): ReadonlyMap<ServiceWord, Mirror> {
    return this.#mirrors;
  }

  /** Links that are held for calls. */
  get held(): number {
    return [...this.#kept.values()].reduce((sum, links) => sum + links.size, 0);
  }

  /** A link for calls that stand each for itself, one to each registration of a member. */
  link(member: Pick<Member, "address" | "incarnation">, service: ServiceWord): LinkCaller {
    let links = this.#kept.get(service);
    if (!links) {
      const { dial } = this.#init;
      const registered = this.mirror(service);
      links = new KeptLinks({ ...this.links, service, registered, dial: (to) => dial(to, service) });
      this.#kept.set(service, links);
    }
    const link = links.to(member);
    return this.#init.linked?.(link) ?? link;
  }

  /** Where any instance of a service will do: one of those that serve, another for each call. */
  anyLink(service: ServiceWord): LinkCaller {
    const ring = servingRing(this.mirror(service));
    const link = () => {
      const { members } = ring.view();
      const member = members[Math.floor(this.#init.random() * members.length)];
      return member && this.link(member, service);
    };
    return {
      call: async (method, request, budgetMs) => {
        const to = link();
        if (!to) throw peerUnavailable(service);
        return to.call(method, request, budgetMs);
      },
      notify: (notice, said) => link()?.notify(notice, said),
    };
  }

  /** What hands events over to the channel instances. */
  publisher(changed: (init: PublisherInit) => PublisherInit = (init) => init): Publisher {
    const instance = (member: Member) => new ChannelClient(this.link(member, "channel"));
    return new Publisher(
      changed({ clock: this.#init.clock, ring: servingRing(this.mirror("channel")), instance }),
    );
  }

  /** The channel instances, as push servers attach to them. */
  channel(): Channel {
    return {
      ring: servingRing(this.mirror("channel")),
      attach: (member, link) => attachChannel(this.links, this.#init.dial(member, "channel"), link),
    };
  }

  /** The presence instances, as push servers attach to them. */
  presence(): Presence {
    return {
      ring: servingRing(this.mirror("presence")),
      attach: (member, link) => attachPresence(this.links, this.#init.dial(member, "presence"), link),
    };
  }

  /** The presence instances, as they are told of changes. */
  presenceWay(): PresenceWay {
    return {
      clock: this.#init.clock,
      instances: this.mirror("presence"),
      link: (member) => this.link(member, "presence"),
    };
  }

  close(): void {
    for (const links of this.#kept.values()) links.close();
    for (const mirror of this.#mirrors.values()) mirror.close();
  }
}
