import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { type MemoryPair, memoryPair, type PairWays } from "../../../rpc/links/memory-pair.ts";
import type { Engine, Life } from "../time/engine.ts";
import type { SimRandom } from "../time/sim-random.ts";
import { type Bites, bite, OneWay, type Way } from "./sim-link.ts";

/** A process as the network knows it. */
export interface Host {
  /** Its name is its address: a restart takes the same one. */
  readonly name: string;
  readonly life: Life;
  /** Takes the far half of a link. */
  serveLink(stream: LinkStream): void;
}

/** How long a connection that cannot be made is tried, in ms. */
const REFUSED_MS = 20;

/** Until both ends of a broken connection hear of it, in ms at most. */
const HEARD_MS = 400;

interface Connection {
  readonly near: Host;
  readonly far: Host;
  readonly pair: MemoryPair;
}

/** What lies between the servers: connections with delays, which break, fall silent, or cannot be made. */
export class Network {
  readonly #engine: Engine;
  readonly #random: SimRandom;
  readonly #bites: Bites;
  readonly #hosts = new Map<string, Host>();
  readonly #ways = new Map<string, Way>();
  readonly #connections = new Set<Connection>();

  constructor(engine: Engine, bites: Bites) {
    this.#engine = engine;
    this.#random = engine.random.fork("network");
    this.#bites = bites;
  }

  /** Puts a process at its address, in the place of the one before. */
  add(host: Host): void {
    this.#hosts.set(host.name, host);
  }

  /** The process at an address; undefined if none lives there. */
  find(address: string): Host | undefined {
    const host = this.#hosts.get(address);
    return host?.life.isAlive ? host : undefined;
  }

  /** The way between two processes, there and back the same. */
  wayOf(a: string, b: string): Way {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    let way = this.#ways.get(key);
    if (!way) {
      way = { delayMs: this.#random.pick([0.4, 1, 5]), slowUntilMs: 0, silentUntilMs: 0, awayUntilMs: 0 };
      this.#ways.set(key, way);
    }
    return way;
  }

  /** One direction between two processes, for what no link carries. */
  oneWay(a: string, b: string): OneWay {
    return new OneWay(this.#engine, this.#random, this.wayOf(a, b), this.#bites);
  }

  /** The process at an address, as far as `from` can reach it. */
  reach(from: string, address: string): Host | undefined {
    if (this.wayOf(from, address).awayUntilMs <= this.#engine.nowMs) return this.find(address);
    bite(this.#bites, "servers apart");
    return undefined;
  }

  /** A link's near half. One that cannot be made closes soon. */
  dial(from: Host, address: string): LinkStream {
    const far = this.reach(from.name, address);
    const [there, back] = [this.oneWay(from.name, address), this.oneWay(from.name, address)];
    const turn = (life: Life) => (run: () => void) => void this.#engine.after(0, life, run);
    const ways: PairWays = {
      toFar: (run) => there.carry(far?.life, run),
      toNear: (run) => back.carry(from.life, run),
      inNear: turn(from.life),
      inFar: far ? turn(far.life) : () => {},
    };
    const pair = memoryPair(ways);
    if (!far) {
      this.#engine.after(REFUSED_MS, from.life, () => pair.cut());
      return pair.near;
    }
    const connection = { near: from, far, pair };
    this.#connections.add(connection);
    pair.near.onClose(() => this.#connections.delete(connection));
    there.carry(far.life, () => far.serveLink(pair.far));
    return pair.near;
  }

  /** Breaks what is between two processes, or all that one has: what is under way is lost, both ends hear of it soon. */
  cut(a: string, b?: string): void {
    for (const connection of this.#between(a, b)) {
      bite(this.#bites, "link cut");
      this.#break(connection);
    }
  }

  /**
   * A process has died. With it its connections: who is at their other ends hears of it soon, or, where the machine is
   * gone as well, only by its own signs of life.
   */
  died(host: Host, isHeard: boolean): void {
    for (const connection of this.#between(host.name)) {
      if (isHeard) this.#break(connection);
      else {
        connection.pair.freeze();
        this.#connections.delete(connection);
      }
    }
  }

  /** From now on all reach one another. */
  heal(): void {
    for (const way of this.#ways.values())
      Object.assign(way, { slowUntilMs: 0, silentUntilMs: 0, awayUntilMs: 0 });
  }

  #break(connection: Connection): void {
    this.#connections.delete(connection);
    connection.pair.freeze();
    this.#engine.after(this.#random.between(1, HEARD_MS), undefined, () => connection.pair.cut());
  }

  #between(a: string, b?: string): Connection[] {
    return [...this.#connections].filter(({ near, far }) => {
      const names = [near.name, far.name];
      return names.includes(a) && (b === undefined || names.includes(b));
    });
  }
}
