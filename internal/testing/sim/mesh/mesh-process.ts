import { sleep } from "../../../base/clock.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import { createLog, type Logger } from "../../../base/log.ts";
import { createMetrics } from "../../../base/metrics.ts";
import type { Member } from "../../../base/ring.ts";
import { Publisher } from "../../../channel/publisher/publisher.ts";
import { ChannelClient } from "../../../peers/channel-client.ts";
import type { ServeLink } from "../../../peers/link-listener.ts";
import type { PushServer } from "../../../push/service.ts";
import { Mirror, servingRing } from "../../../registry/mirror.ts";
import { Registration, type RegistrationInit } from "../../../registry/registration.ts";
import type { Offer } from "../../../registry/registry.ts";
import { type SharedRegistry, SharedRegistryClient } from "../../../registry/shared-registry.ts";
import { type BoundMethod, methodsOf, type RpcContext } from "../../../rpc/calls/call-runner.ts";
import type { Authenticate, ServiceBinding } from "../../../rpc/calls/handlers.ts";
import type { LinkContext } from "../../../rpc/links/item-stream.ts";
import { KeptLinks } from "../../../rpc/links/kept-links.ts";
import { DEFAULT_LIMITS } from "../../../rpc/links/limits.ts";
import type { LinkCaller } from "../../../rpc/links/link-client.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { peerUnavailable } from "../../../rpc/links/peer-errors.ts";
import { createRpcMetrics } from "../../../rpc/metrics.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import type { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import type { Mutant } from "../mutants/mutant.ts";
import type { Host, Network } from "../network/network.ts";
import { remoteStore, type StoreState } from "../network/remote-store.ts";
import { type Bites, bite } from "../network/sim-link.ts";
import { countedLink, countedLogs, countedRows } from "../reach/counting.ts";
import type { Engine, Life } from "../time/engine.ts";
import type { LentClock } from "../time/lent-clock.ts";
import { LifeClock } from "../time/life-clock.ts";
import type { SimRandom } from "../time/sim-random.ts";
import { callerOf } from "../users/sim-credentials.ts";

/** How late a watch of the registry tells where nothing is wrong, in ms. */
export const LAG_MS = 2;

const SILENT = createLog({ level: "silent" });

/** The word of a service that has processes of its own. */
export type ServiceWord = "push" | "message" | "channel" | "presence" | "thread" | "gateway";

/** What a process finds around it. */
export interface Machines {
  readonly engine: Engine;
  readonly mutant: Mutant;
  readonly bites: Bites;
  /** How often each branch of the protocol was reached. */
  readonly reached: Bites;
  readonly network: Network;
  readonly registry: SharedRegistry;
  readonly logs: MessageStore;
  readonly rows: SqliteThreadStore;
  readonly rowsClock: LentClock;
  readonly logsState: StoreState;
  readonly rowsState: StoreState;
  /** Notes what was thrown that is no word of a service. */
  threw(error: unknown): void;
}

/** One life of a process: what every program of the mesh has, whatever it serves. A restart is another one. */
export class MeshProcess implements Host {
  readonly world: Machines;
  readonly service: ServiceWord;
  readonly name: string;
  readonly life: Life;
  readonly clock: LifeClock;
  readonly random: SimRandom;
  readonly log: Logger = SILENT;
  readonly registry: SharedRegistryClient;
  readonly context: RpcContext;
  /** What clients may call here. */
  readonly methods = new Map<string, BoundMethod>();
  /** Set where clients' streams come. */
  push: PushServer | undefined;
  /** Set where a presence instance runs. */
  presence: { readonly isLearning: boolean } | undefined;
  /** What a link to it is served with. */
  serves: ServeLink | undefined;
  registration: Registration | undefined;
  /** Gives up its place in good order. */
  leaves: () => Promise<void> = async () => {};
  readonly #mirrors = new Map<string, Mirror>();
  readonly #kept = new Map<ServiceWord, KeptLinks>();

  constructor(world: Machines, service: ServiceWord, name: string) {
    const { engine } = world;
    this.world = world;
    this.service = service;
    this.name = name;
    this.life = { name, isAlive: true, pausedUntilMs: 0 };
    this.random = engine.random.fork(`${name} ${engine.nowMs}`);
    this.clock = new LifeClock(
      engine,
      this.life,
      this.random.pick([0, -15_000, 40_000]),
      this.random.pick([1, 1.0005, 0.9995]),
    );
    this.registry = new SharedRegistryClient(world.registry, this.clock);
    this.registry.way.answerMs = 3;
    this.registry.way.lagMs = LAG_MS;
    this.context = {
      clock: this.clock,
      log: SILENT,
      metrics: createRpcMetrics(createMetrics({ process: false })),
    };
  }

  /** Its turn of the event loop. */
  readonly tick = (run: () => void): void => {
    this.world.engine.after(0, this.life, run);
  };

  get links(): LinkContext {
    return { clock: this.clock, tick: this.tick, limits: DEFAULT_LIMITS };
  }

  serveLink(stream: LinkStream): void {
    this.serves?.({
      ...this.links,
      stream,
      fault: (error) => {
        this.world.threw(error);
        return HeddleError.from(error, "sim");
      },
    });
  }

  dial(member: Pick<Member, "address">): LinkStream {
    return this.world.network.dial(this, member.address);
  }

  /** A link for calls that stand each for itself, one to each address. */
  keptLink(member: Pick<Member, "address">, service: ServiceWord): LinkCaller {
    let links = this.#kept.get(service);
    if (!links) {
      const registered = this.mirror(service);
      links = new KeptLinks({ ...this.links, service, registered, dial: (to) => this.dial(to) });
      this.#kept.set(service, links);
    }
    const link = countedLink(links.to(member), this.world.reached);
    return this.world.mutant.caller?.(link) ?? link;
  }

  /** Where any process of a service will do: one of those that serve, another for each call. */
  anyLink(service: ServiceWord): LinkCaller {
    const mirror = this.mirror(service);
    const link = () => {
      const member = this.random.maybePick(mirror.view().members.filter(({ state }) => state === "serving"));
      if (!member) throw peerUnavailable(service);
      return this.keptLink(member, service);
    };
    return {
      call: async (method, request, budgetMs) => link().call(method, request, budgetMs),
      notify: (notice, said) => link().notify(notice, said),
    };
  }

  /** What it knows of a service, from the first time it is asked for. */
  mirror(service: ServiceWord): Mirror {
    let mirror = this.#mirrors.get(service);
    if (!mirror) {
      mirror = new Mirror({ registry: this.registry, clock: this.clock, service });
      this.#mirrors.set(service, mirror);
      void mirror.start();
    }
    return mirror;
  }

  /** Counts what it does not know just now. */
  look(): void {
    for (const mirror of this.#mirrors.values()) {
      const { state } = mirror.view();
      if (state !== "known") bite(this.world.reached, `mirror ${state}`);
    }
    if (this.presence?.isLearning) bite(this.world.reached, "presence learns");
  }

  /** Takes its place in the registry, for as long as it lives. */
  register(hooks: Pick<RegistrationInit, "lost"> = {}, details?: Offer["details"]): Registration {
    const { service, name, clock, registry } = this;
    const offer = { service, name, address: name, build: "sim", ...(details && { details }) };
    const seen = () => this.#mirrors.get(service)?.view().number ?? 0;
    const lost = () => {
      bite(this.world.reached, "lease lost");
      hooks.lost?.();
    };
    this.registration = new Registration({ registry, clock, offer, seen, ...hooks, lost });
    void this.registration.start();
    return this.registration;
  }

  /** What hands events over to the channel instances. */
  publisher(): Publisher {
    const instance = (member: Member) => new ChannelClient(this.keptLink(member, "channel"));
    const init = { clock: this.clock, ring: servingRing(this.mirror("channel")), instance };
    return new Publisher(this.world.mutant.publisher?.(init) ?? init);
  }

  /** The SQL that it holds: another machine's. */
  rows(): SqliteThreadStore {
    const { engine, bites, rowsState: state, mutant, rowsClock } = this.world;
    const { life, random, clock } = this;
    const rows = mutant.rowsOf?.(this.world.rows, rowsClock, clock) ?? this.world.rows;
    const store = remoteStore(rows, { engine, bites, state, life, random, name: "row" });
    return countedRows(store, this.world.reached, () => engine.nowMs);
  }

  /** The logs: another machine's. */
  logs(): MessageStore {
    const { engine, bites, logs, logsState: state } = this.world;
    const { life, random } = this;
    const store = remoteStore(logs, { engine, bites, state, life, random, name: "log" });
    return countedLogs(store, this.world.reached);
  }

  readonly authenticate: Authenticate = async (authorization) => callerOf(authorization, this.clock.nowMs());

  /** Resolves after so many ms of its own time. */
  wait(ms: number): Promise<void> {
    return sleep(this.clock, ms);
  }

  /** Lets clients call these. */
  answer(bindings: readonly ServiceBinding[]): void {
    for (const method of bindings.flatMap((binding) => methodsOf(binding)))
      this.methods.set(method.name, method);
  }
}
