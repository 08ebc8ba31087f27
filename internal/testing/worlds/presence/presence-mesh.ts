import { HeddleError } from "../../../base/heddle-error.ts";
import { createLog } from "../../../base/log.ts";
import type { SessionReport } from "../../../base/presence.ts";
import { rendezvousOwner } from "../../../base/rendezvous.ts";
import type { Member, Ring } from "../../../base/ring.ts";
import { SoleChannel } from "../../../channel/sole-channel.ts";
import { Visibility } from "../../../gen/heddle/presence/v1/presence_pb.js";
import type { ServeLink } from "../../../peers/link-listener.ts";
import { attachPresence, PresenceClient } from "../../../peers/presence-client.ts";
import { servePresence } from "../../../peers/presence-server.ts";
import { EveryInstance } from "../../../presence/every-instance.ts";
import { VISIBILITY_KEPT_MS } from "../../../presence/limits.ts";
import type { Place } from "../../../presence/ports.ts";
import { PresenceService } from "../../../presence/service.ts";
import { Visibilities } from "../../../presence/visibilities.ts";
import { PushServer } from "../../../push/service.ts";
import { Mirror, servingRing } from "../../../registry/mirror.ts";
import { Registration, type RegistrationInit } from "../../../registry/registration.ts";
import { SharedRegistry, SharedRegistryClient } from "../../../registry/shared-registry.ts";
import type { LinkContext } from "../../../rpc/links/item-stream.ts";
import { KeptLinks } from "../../../rpc/links/kept-links.ts";
import { DEFAULT_LIMITS } from "../../../rpc/links/limits.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { type MemoryPair, memoryPair } from "../../../rpc/links/memory-pair.ts";
import { FakeByteStream } from "../../fakes/streams/fake-byte-stream.ts";
import { FakeClock } from "../../fakes/time/fake-clock.ts";
import { SimProcess } from "../hand-off/hand-off-processes.ts";
import { FakeMessages, FakeThreads } from "../push/push-world.ts";

/** Time moves in steps of this, in ms. */
const STEP_MS = 250;

/** Turns of the event loop after each: what is on a link has arrived by then, and was answered. */
const TURNS = 14;

/** What is broken; what is left out is as it is. */
export interface PresenceVariant {
  /** What an instance knows of the push servers. */
  readonly pushServers?: (ring: Ring) => Ring;
  /** Which instances are told of a change. */
  readonly registered?: (ring: Ring) => Ring;
  /** Whether an instance is sure of its lease. */
  readonly lease?: Place["lease"];
  /** What an instance is told by a push server. */
  readonly report?: (report: SessionReport) => SessionReport;
}

/** What every process of the world has. */
class Node {
  readonly process: SimProcess;
  readonly name: string;
  readonly pairs = new Set<MemoryPair>();
  /** What serves links to it. */
  serves: ServeLink = () => {};
  /** The ways to the registry of what it knows of each service, and of its own place. */
  readonly ways = new Map<string, SharedRegistryClient>();
  readonly #mesh: PresenceMesh;
  #kept: KeptLinks | undefined;
  readonly #mirrors = new Map<string, Mirror>();

  constructor(mesh: PresenceMesh, name: string) {
    this.#mesh = mesh;
    this.name = name;
    this.process = new SimProcess(name, mesh.clock);
  }

  get links(): LinkContext {
    const tick = (run: () => void) => void setImmediate(() => this.process.run(run));
    return { clock: this.process.clock, tick, limits: DEFAULT_LIMITS };
  }

  /** Its way to the registry for one of the services, or for its own place. */
  way(service: string): SharedRegistryClient {
    const way = this.ways.get(service) ?? new SharedRegistryClient(this.#mesh.shared, this.process.clock);
    this.ways.set(service, way);
    return way;
  }

  mirror(service: string): Mirror {
    let mirror = this.#mirrors.get(service);
    if (mirror) return mirror;
    mirror = new Mirror({ registry: this.way(service), clock: this.process.clock, service });
    this.#mirrors.set(service, mirror);
    void mirror.start();
    return mirror;
  }

  register(service: string, lost?: () => void): Registration {
    const { name } = this;
    const offer: RegistrationInit["offer"] = { service, name, address: name, build: "" };
    const made = { registry: this.way("own place"), clock: this.process.clock, offer, ...(lost && { lost }) };
    return new Registration(made);
  }

  dial({ address }: Pick<Member, "address">): LinkStream {
    const pair = memoryPair((run) => void setImmediate(run));
    const other = this.#mesh.nodes.get(address);
    for (const node of [this, other]) node?.pairs.add(pair);
    if (!other || other.process.isCrashed) setImmediate(() => pair.cut());
    else other.serves({ ...other.links, stream: pair.far, fault: (error) => HeddleError.from(error, "r") });
    return pair.near;
  }

  instance(member: Member): PresenceClient {
    this.#kept ??= new KeptLinks({
      ...this.links,
      service: "presence",
      registered: this.mirror("presence"),
      dial: (to) => this.dial(to),
    });
    return new PresenceClient(this.#kept.to(member));
  }

  /** It is no more, and its connections break. */
  crash(): void {
    this.process.isCrashed = true;
    for (const pair of this.pairs) pair.cut();
  }

  /** Nothing comes or goes over its connections, and nobody is told. */
  freeze(): void {
    for (const pair of this.pairs) pair.freeze();
  }
}

/** A presence instance. */
export class InstanceNode extends Node {
  service!: PresenceService;
  registration!: Registration;
  /** After a check of privacy has read what it reads. */
  afterCheck: () => Promise<void> = async () => {};
}

/** A push server. */
export class PushNode extends Node {
  server!: PushServer;
  registration!: Registration;
}

/**
 * Presence instances, push servers and a thread server over links in memory and one registry, with time in a test's hand.
 * All that is between the streams and SQL is real.
 */
export class PresenceMesh {
  readonly clock = new FakeClock();
  readonly shared = new SharedRegistry(this.clock);
  readonly nodes = new Map<string, Node>();
  /** What SQL holds: users who hide, and pairs in which one has blocked the other. */
  readonly hidden = new Set<string>();
  readonly blocks = new Set<string>();
  readonly thread: Node;
  readonly every: EveryInstance;
  readonly #variant: PresenceVariant;
  readonly #channel = new SoleChannel({ clock: this.clock });
  readonly #streams = new Set<FakeByteStream>();
  #sessions = 0;

  constructor(variant: PresenceVariant = {}) {
    this.#variant = variant;
    this.thread = this.#add(new Node(this, "thread-0"));
    this.every = new EveryInstance({
      clock: this.clock,
      registered: this.#registered(this.thread),
      instance: (member) => this.thread.instance(member),
    });
  }

  startInstance(name: string): InstanceNode {
    const node = this.#add(new InstanceNode(this, name));
    const { clock } = node.process;
    const { pushServers = (ring: Ring) => ring, lease } = this.#variant;
    node.registration = node.register("presence", () => node.service.leaseLost());
    const place: Place = {
      name,
      lease: lease ?? node.registration,
      ring: servingRing(node.mirror("presence")),
      registered: this.#registered(node),
      pushServers: pushServers(node.mirror("push")),
      instance: (member) => node.instance(member),
    };
    const keptMs = () => (place.lease.isSure() ? Number.POSITIVE_INFINITY : VISIBILITY_KEPT_MS);
    const visibilities = new Visibilities(this.#visibilityStore, { clock, keptMs });
    const maySee = async (viewer: string, user: string) => {
      const isHidden = (await visibilities.readVisibility(user)) === "nobody";
      const may = !isHidden && !this.isBlocked(viewer, user);
      await node.afterCheck();
      return may;
    };
    node.service = new PresenceService({ clock, place, visibilities, privacy: { maySee } });
    node.serves = (below) => servePresence(node.service, below);
    void node.registration.start();
    return node;
  }

  startPush(name: string): PushNode {
    const node = this.#add(new PushNode(this, name));
    const { report: said = (report: SessionReport) => report } = this.#variant;
    node.registration = node.register("push");
    node.server = new PushServer({
      messages: new FakeMessages(),
      threads: new FakeThreads(),
      channel: this.#channel,
      presence: {
        ring: servingRing(node.mirror("presence")),
        attach: (member, link) => {
          const attachment = attachPresence(node.links, node.dial(member), link);
          return { ...attachment, report: (report) => attachment.report(said(report)) };
        },
      },
      clock: node.process.clock,
      log: createLog({ level: "silent" }),
      config: { name, capacity: 1_000 },
      tick: node.links.tick,
    });
    void node.registration.start();
    return node;
  }

  /** A stream of the user's that has said `open`. */
  connect({ server }: PushNode, userId: string): FakeByteStream {
    const sessionId = new Uint8Array(16).fill(++this.#sessions);
    const never = Number.MAX_SAFE_INTEGER;
    const stream = new FakeByteStream({
      caller: {
        userId,
        sessionId,
        deviceId: "phone",
        openByMs: never,
        expiresAtMs: never,
        userTokenExpiresAtMs: never,
      },
      requestId: "request",
      signal: new AbortController().signal,
    });
    server.connect(stream);
    stream.say({ case: "open", value: { deviceId: "phone" } as never });
    this.#streams.add(stream);
    return stream;
  }

  isBlocked(a: string, b: string): boolean {
    return this.blocks.has(`${a} ${b}`) || this.blocks.has(`${b} ${a}`);
  }

  /** What the thread service does: stored, then confirmed. */
  block(a: string, b: string): Promise<void> {
    this.blocks.add(`${a} ${b}`);
    return this.every.blockChanged(a, b);
  }

  /** What a client asks of the instance. */
  hide(at: InstanceNode, userId: string): Promise<unknown> {
    const request = { visibility: Visibility.NOBODY, requestId: new Uint8Array(16) };
    return at.service.handlers.setVisibility(request as never, { caller: { userId } });
  }

  async list(at: InstanceNode, viewer: string, userIds: readonly string[]) {
    const request = { userIds: [...userIds] } as never;
    const { presences = [] } = await at.service.handlers.listPresence(request, {
      caller: { userId: viewer },
    });
    return presences.map(({ userId, status }) => [userId, status]);
  }

  /** One of these users that the instance owns. */
  userOf(instance: string, among: readonly string[]): string {
    const members = among.map((name) => ({ name }));
    for (let at = 0; ; at++) if (rendezvousOwner(members, `u${at}`)?.name === instance) return `u${at}`;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.clock.advance(STEP_MS);
      if (passed % 10_000 === 0) {
        for (const stream of this.#streams)
          if (!stream.ended) stream.say({ case: "ping", value: {} as never });
      }
      await this.turn();
    }
  }

  /** Lets arrive what is under way. */
  async turn(): Promise<void> {
    for (let turns = 0; turns < TURNS; turns++) await new Promise((resolve) => setImmediate(resolve));
  }

  #add<N extends Node>(node: N): N {
    this.nodes.set(node.name, node);
    return node;
  }

  #registered(node: Node): Ring {
    const { registered = (ring: Ring) => ring } = this.#variant;
    return registered(node.mirror("presence"));
  }

  get #visibilityStore() {
    return {
      readVisibility: async (userId: string) =>
        (this.hidden.has(userId) ? "nobody" : "shared") as "nobody" | "shared",
      setVisibility: async (userId: string, visibility: "nobody" | "shared") => {
        if (visibility === "nobody") this.hidden.add(userId);
        else this.hidden.delete(userId);
      },
    };
  }
}
