import { Neighbours, type ServiceWord } from "../../../app/assembly/neighbours.ts";
import { sleep } from "../../../base/clock.ts";
import { HeddleError } from "../../../base/heddle-error.ts";
import { createLog, type Logger } from "../../../base/log.ts";
import { createMetrics } from "../../../base/metrics.ts";
import type { Publisher } from "../../../channel/publisher/publisher.ts";
import type { ServeLink } from "../../../peers/link-listener.ts";
import type { PushServer } from "../../../push/service.ts";
import { Registration, type RegistrationInit } from "../../../registry/registration.ts";
import type { Offer } from "../../../registry/registry.ts";
import { type SharedRegistry, SharedRegistryClient } from "../../../registry/shared-registry.ts";
import { type BoundMethod, methodsOf, type RpcContext } from "../../../rpc/calls/call-runner.ts";
import type { Authenticate, ServiceBinding } from "../../../rpc/calls/handlers.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
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
  /** The other processes, as this one knows and reaches them. */
  readonly neighbours: Neighbours;
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
    this.neighbours = new Neighbours({
      registry: this.registry,
      clock: this.clock,
      tick: this.tick,
      dial: ({ address }) => world.network.dial(this, address),
      random: () => this.random.fraction(),
      linked: (link) => {
        const counted = countedLink(link, world.reached);
        return world.mutant.caller?.(counted) ?? counted;
      },
    });
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

  serveLink(stream: LinkStream): void {
    this.serves?.({
      ...this.neighbours.links,
      stream,
      fault: (error) => {
        this.world.threw(error);
        return HeddleError.from(error, "sim");
      },
    });
  }

  /** Counts what it does not know just now. */
  look(): void {
    for (const mirror of this.neighbours.mirrors.values()) {
      const { state } = mirror.view();
      if (state !== "known") bite(this.world.reached, `mirror ${state}`);
    }
    if (this.presence?.isLearning) bite(this.world.reached, "presence learns");
  }

  /** Takes its place in the registry, for as long as it lives. */
  register(hooks: Pick<RegistrationInit, "lost"> = {}, details?: Offer["details"]): Registration {
    const { service, name, clock, registry } = this;
    const offer = { service, name, address: name, build: "sim", ...(details && { details }) };
    const seen = () => this.neighbours.seen(service);
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
    return this.neighbours.publisher((init) => this.world.mutant.publisher?.(init) ?? init);
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
