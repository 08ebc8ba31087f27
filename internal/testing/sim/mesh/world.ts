import type { ServiceWord } from "../../../app/assembly/neighbours.ts";
import { SharedRegistry } from "../../../registry/shared-registry.ts";
import type { MessageStore } from "../../../store/message-store.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import { MemoryMessageStore } from "../../fakes/stores/memory-message-store.ts";
import type { Mutant } from "../mutants/mutant.ts";
import { Network } from "../network/network.ts";
import type { StoreState } from "../network/remote-store.ts";
import type { Bites } from "../network/sim-link.ts";
import { Engine, type Life } from "../time/engine.ts";
import { LentClock } from "../time/lent-clock.ts";
import { LifeClock } from "../time/life-clock.ts";
import { startChannel } from "./channel-process.ts";
import { startGateway } from "./gateway-process.ts";
import { type Machines, MeshProcess } from "./mesh-process.ts";
import { startMessage } from "./message-process.ts";
import { startPresence } from "./presence-process.ts";
import { startPush } from "./push-process.ts";
import { startThread } from "./thread-process.ts";

const STARTS: Readonly<Record<ServiceWord, (process: MeshProcess) => void>> = {
  push: startPush,
  message: startMessage,
  channel: startChannel,
  presence: startPresence,
  thread: startThread,
  gateway: startGateway,
};

/** The machines of the mesh: processes, the network between them, the registry and the stores. */
export class World implements Machines {
  readonly engine: Engine;
  readonly mutant: Mutant;
  readonly bites: Bites = new Map();
  readonly reached: Bites = new Map();
  readonly network: Network;
  readonly registry: SharedRegistry;
  readonly logs: MessageStore;
  readonly rows: SqliteThreadStore;
  readonly rowsClock: LentClock;
  readonly logsState: StoreState = { slowUntilMs: 0, awayUntilMs: 0 };
  readonly rowsState: StoreState = { slowUntilMs: 0, awayUntilMs: 0 };
  registryAwayUntilMs = 0;
  /** What was thrown that is no word of a service. */
  readonly faults: unknown[] = [];
  /** By name: the life of now, or the last one. */
  readonly processes = new Map<string, MeshProcess>();

  constructor(seed: string, mutant: Mutant) {
    const engine = new Engine(seed);
    const machine = (name: string, offMs: number) => {
      const life: Life = { name, isAlive: true, pausedUntilMs: 0 };
      return new LifeClock(engine, life, offMs, 1);
    };
    this.engine = engine;
    this.mutant = mutant;
    this.network = new Network(engine, this.bites);
    const registryClock = machine("registry", 0);
    this.registry = mutant.registry?.(registryClock) ?? new SharedRegistry(registryClock);
    const logs = new MemoryMessageStore();
    this.logs = mutant.logs?.(logs) ?? logs;
    const clock = machine("rows", 20_000);
    this.rowsClock = new LentClock(clock);
    const storeNowMs = () => this.rowsClock.nowMs();
    const rows = new SqliteThreadStore({ path: ":memory:", clock, storeNowMs });
    this.rows = mutant.rows?.(rows) ?? rows;
  }

  /** Notes what no service says. */
  readonly threw = (error: unknown): void => {
    this.faults.push(error);
  };

  /** Starts a process, unless it lives. `word-number` is its name. */
  start(name: string): void {
    if (this.livingAt(name)) return;
    const process = new MeshProcess(this, name.split("-")[0] as ServiceWord, name);
    this.processes.set(name, process);
    this.network.add(process);
    this.engine.after(0, process.life, () => STARTS[process.service](process));
  }

  /** Ends a process without a word. `isHeard`: its machine is there still, and says so to who is connected. */
  crash(name: string, isHeard: boolean): MeshProcess | undefined {
    const process = this.livingAt(name);
    if (!process) return undefined;
    process.life.isAlive = false;
    this.network.died(process, isHeard);
    return process;
  }

  /** Lets a process give its place up and end; `ended` is called with it. */
  leave(name: string, ended: (process: MeshProcess) => void): void {
    const process = this.livingAt(name);
    if (!process) return;
    this.engine.after(0, process.life, () => {
      const end = () => {
        if (this.crash(name, true)) ended(process);
      };
      const { unregistersFirst } = this.mutant;
      const revoked = unregistersFirst ? process.registration?.revoke() : undefined;
      Promise.resolve(revoked)
        .then(() => process.leaves())
        .then(end, end);
    });
  }

  /**
   * Whether what every send needs is there: the stores, a channel instance that the registry knows, and a gateway, a push
   * and a message server that have heard of those that they ask, which one that started while the registry is away has not
   * (docs/design.md, section 7, Holds).
   */
  get takesSends(): boolean {
    const { nowMs } = this.engine;
    const isWell = ({ slowUntilMs, awayUntilMs }: StoreState) => slowUntilMs <= nowMs && awayUntilMs <= nowMs;
    if (!isWell(this.logsState) || !isWell(this.rowsState)) return false;
    const runs = (process?: MeshProcess) => process?.life.isAlive && process.life.pausedUntilMs <= nowMs;
    const isThere = (service: ServiceWord, known: ServiceWord) =>
      [...this.processes.values()].some((process) => {
        const { state = "not_loaded" } = process.neighbours.mirrors.get(known)?.view() ?? {};
        return process.service === service && runs(process) && state !== "not_loaded";
      });
    if (!isThere("message", "channel") || !isThere("push", "channel") || !isThere("gateway", "push"))
      return false;
    return this.registry
      .list("channel")
      .entries.some(({ name, state }) => state === "serving" && runs(this.processes.get(name)));
  }

  /** The process of that name, if it lives. */
  livingAt(name: string): MeshProcess | undefined {
    const process = this.processes.get(name);
    return process?.life.isAlive ? process : undefined;
  }

  /** Where the edge sends a client's call: to one that lives, or for once to one that it does not know to be gone. */
  edge(service: string): MeshProcess | undefined {
    const word = service === "profile" ? "thread" : service;
    const all = [...this.processes.values()].filter((process) => process.service === word);
    const { random } = this.engine;
    const known = random.chance(0.05) ? all : all.filter(({ life }) => life.isAlive);
    const chosen = random.maybePick(known);
    return chosen?.life.isAlive ? chosen : undefined;
  }
}
